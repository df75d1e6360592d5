import { DecodeFailure } from '../../runtime/ports/decoder.js';
import { JsonDecoder } from './json-decoder.js';

const decode = (value: Uint8Array | null) =>
  new JsonDecoder().decode({ offset: 0, timestamp: 0, key: null, value, headers: null });
const bytes = (text: string) => new TextEncoder().encode(text);

describe('JsonDecoder', () => {
  it('gives the fields of an object', () => {
    expect(decode(bytes('{"a":1,"b":"x"}'))).toEqual({ fields: { a: 1, b: 'x' }, recordName: '' });
  });

  it.each([
    [null, 'empty-value'],
    [bytes('{"a":'), 'malformed'],
    [bytes('[1]'), 'malformed'],
    [bytes('null'), 'malformed'],
    [new Uint8Array([0xff, 0xfe]), 'malformed'],
  ])('%s fails as %s', (value, reason) => {
    const result = decode(value);
    expect(result).toBeInstanceOf(DecodeFailure);
    expect((result as DecodeFailure).reason).toBe(reason);
  });
});
