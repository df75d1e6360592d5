import { fieldName } from './field-name.js';

describe('names of fields', () => {
  it.each(['amount', 'a name that is longer than others', '', '0', '__proto__', 'constructor', 'ünï'])(
    'are the same text: %j',
    (name) => {
      expect(fieldName(name)).toBe(name);
    },
  );
});
