const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keys in the state store: one byte for the engine's number within the cut, then the key's text. */
export const stateKey = {
  make(engine: number, name: string): Uint8Array {
    const text = encoder.encode(name);
    const key = new Uint8Array(text.length + 1);
    key[0] = engine;
    key.set(text, 1);
    return key;
  },
  parse(key: Uint8Array): { readonly engine: number; readonly name: string } {
    return { engine: key[0]!, name: decoder.decode(key.subarray(1)) };
  },
};
