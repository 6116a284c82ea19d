// A unit of Rust: generic types, an enum with data, references, slices.
#![no_std]
#![crate_type = "lib"]

pub struct Pair<T> {
    pub small: u8,
    pub big: T,
    pub name: &'static str,
}

pub enum Shape {
    Point,
    Circle(u32),
    Rect { w: u16, h: u16 },
}

#[no_mangle]
pub extern "C" fn rust_area(shape: &Shape, pair: &Pair<u64>) -> u64 {
    match shape {
        Shape::Point => 0,
        Shape::Circle(r) => *r as u64 * pair.big,
        Shape::Rect { w, h } => *w as u64 * *h as u64 + pair.small as u64,
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
