package verify

func checkDistilled(c *checker) *Refusal                { return nil }
func relocate(split, distilled, base *checker) *Refusal { return nil }
