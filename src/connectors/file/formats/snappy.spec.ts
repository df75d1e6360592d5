import { snappyDecompress } from './snappy.js';

const decompress = (hex: string, max = 1_000_000) => snappyDecompress(Buffer.from(hex, 'hex'), max).toString();

describe('snappy', () => {
  it('reads literals of every size of length', () => {
    const text = 'x'.repeat(300);
    const body = Buffer.from(text).toString('hex');
    expect(decompress('0568656c6c6f'.replace('05', '0510'))).toBe('hello');
    expect(decompress(`ac02f42b01${body}`)).toBe(text); // 61: two bytes of length
    expect(decompress(`ac02f82b0100${body}`)).toBe(text); // 62: three
    expect(decompress(`ac02fc2b010000${body}`)).toBe(text); // 63: four
  });

  it('reads copies with one, two and four bytes of distance, also those that overlap', () => {
    expect(decompress('0c0c616263641104')).toBe('abcdabcdabcd'); // 4 + 8
    expect(decompress('0c0c616263641e0400')).toBe('abcdabcdabcd');
    expect(decompress('0c0c616263641f04000000')).toBe('abcdabcdabcd');
    expect(decompress('050061'.concat('0101'))).toBe('aaaaa');
  });

  it.each([
    ['no length', 'ff'],
    ['a length that it does not reach', '0610616263'],
    ['a literal past the end', '0510616263'],
    ['a copy from before the beginning', '0800610505'],
    ['a copy of distance 0', '0500610100'],
    ['more than it says', '0410616263646566'],
    ['an element that is cut off', '0c0c616263641e04'],
    ['a length out of all proportion', 'ffffffff0f00'],
  ])('refuses %s', (_what, hex) => {
    expect(() => decompress(hex)).toThrow(RangeError);
  });
});
