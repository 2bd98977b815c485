package shamir

import "fmt"

// Shares are printed in base32 (RFC 4648, section 6) in small letters, without padding: 'a' to 'z' for 0 to 25, '2' to '7'
// for 26 to 31. Letters are computed, not looked up, so that time does not depend on them.

func letterOf(v byte) byte {
	digit := byte((25 - int(v)) >> 8) // 0xff for 26 and more
	return 'a' + v + digit&(256+'2'-26-'a')
}

// valueOf returns what a letter of either case stands for; ok is 0xff for a letter and 0 for anything else.
func valueOf(c byte) (v, ok byte) {
	lower := c | 0x20
	letter := within(lower, 'a', 'z')
	digit := within(c, '2', '7')
	return letter&(lower-'a') | digit&(c-'2'+26), letter | digit
}

// within returns 0xff for lo <= c <= hi, else 0.
func within(c, lo, hi byte) byte {
	return ^byte((int(c)-int(lo))>>8) & ^byte((int(hi)-int(c))>>8)
}

func encode(raw []byte) []byte {
	out := make([]byte, 0, (len(raw)*8+4)/5)
	var held uint16
	bits := 0
	for _, b := range raw {
		held, bits = held<<8|uint16(b), bits+8
		for ; bits >= 5; bits -= 5 {
			out = append(out, letterOf(byte(held>>(bits-5))&31))
		}
	}
	if bits > 0 {
		out = append(out, letterOf(byte(held<<(5-bits))&31))
	}
	return out
}

// decode is strict: there is one spelling of each string of bytes, but for the case. Errors name the place, not the letter.
func decode(letters []byte) ([]byte, error) {
	out := make([]byte, 0, len(letters)*5/8)
	var held uint16
	bits := 0
	for i, c := range letters {
		v, ok := valueOf(c)
		if ok == 0 {
			clear(out)
			return nil, fmt.Errorf("letter %d of group %d behind %s is none that a share has (a to z, 2 to 7): %w", i%groupSize+1, i/groupSize+1, Prefix, ErrSyntax)
		}
		held, bits = held<<5|uint16(v), bits+5
		if bits >= 8 {
			bits -= 8
			out = append(out, byte(held>>bits))
		}
	}
	if bits >= 5 || held&(1<<bits-1) != 0 {
		clear(out)
		return nil, fmt.Errorf("its length is wrong, or its last letter: %w", ErrSyntax)
	}
	return out, nil
}
