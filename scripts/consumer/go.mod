module example.com/consumer

go 1.26.0

require (
	github.com/btfbatch/btfbatch v0.0.0
	github.com/cilium/ebpf v0.22.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/mikelolasagasti/xz v1.0.1 // indirect
	github.com/ulikunitz/xz v0.5.17 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/btfbatch/btfbatch => ../..
