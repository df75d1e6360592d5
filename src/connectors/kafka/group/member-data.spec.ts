import { encodeMemberData, encodeOwners, endpointIn, ownersIn } from './member-data.js';

const bytes = (text: string | null): Uint8Array | null => (text === null ? null : new TextEncoder().encode(text));

describe('what members of a group tell each other', () => {
  it.each([
    ['an endpoint', 'http://10.0.0.1:8080', 'http://10.0.0.1:8080'],
    ['none', null, null],
  ])('is read as it was said: %s', (_, endpoint, expected) => {
    expect(endpointIn(bytes(encodeMemberData({ fingerprint: 'transactions:4', endpoint })))).toBe(expected);
  });

  it.each([
    ['nothing', null],
    ['no bytes', ''],
    ['the fingerprint alone, as releases before said it', 'transactions:4'],
    ['what is cut off', '{"fingerprint":"transactions:4","endp'],
    ['something else', '{"endpoint":7,"owners":["a"]}'],
  ])('is nothing where it is %s', (_, said) => {
    expect([endpointIn(bytes(said)), ownersIn(bytes(said)).size]).toEqual([null, 0]);
  });

  it('names for each partition the endpoint of its owner, and leaves out who cannot be asked', () => {
    const shares = new Map([
      ['m1', [{ topic: 'a', partition: 0 }]],
      ['m2', [{ topic: 'a', partition: 1 }]],
      ['m3', [{ topic: 'a', partition: 2 }]],
      ['m4', []],
    ]);
    const endpoints = new Map([
      ['m1', 'http://one'],
      ['m2', null],
      ['m3', 'http://one'],
      ['m4', 'http://two'],
    ]);
    expect([...ownersIn(bytes(encodeOwners(shares, endpoints)))]).toEqual([
      ['a-0', 'http://one'],
      ['a-2', 'http://one'],
    ]);
    expect(encodeOwners(shares, new Map())).toBe(null);
  });
});
