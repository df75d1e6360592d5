/**
 * Keeps personal data out of logs.
 *
 * R1. The value of a field with a personal name is never written, at any depth.
 * R2. 13 to 19 digits that pass Luhn's check are never written: in text (also parted by spaces or dashes), as a number, or in
 *     a key. Times in milliseconds (13 digits that begin with 1 or 2) are no card numbers.
 * R3. What is given is not changed; what is not plain data (a class instance) is written by its own `toJSON` or its fields.
 */
export const MASK = '[redacted]';

const DEPTH_MAX = 8;
const ITEMS_MAX = 100;

/** An id of 32 hex digits comes first, so that digits inside it are left alone. */
const digits = /\b(?=[0-9a-f]*[a-f])[0-9a-f]{32}\b|(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g;

export function redactText(text: string): string {
  return text.replace(digits, (found) => (isCardNumber(found.replace(/[ -]/g, '')) ? MASK : found));
}

function isCardNumber(text: string): boolean {
  if (!/^\d{13,19}$/.test(text) || (text.length === 13 && /^[12]/.test(text))) return false;
  let sum = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = Number(text[text.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Makes a redactor for values of any shape. `personal`: names of fields, whatever their case. */
export function makeRedactor(personal: ReadonlySet<string>): (value: unknown) => unknown {
  const names = new Set([...personal].map((name) => name.toLowerCase()));
  const redact = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return redactText(value);
    if (typeof value === 'number') return isCardNumber(String(Math.abs(value))) ? MASK : value;
    if (typeof value === 'bigint') return redactText(String(value));
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEPTH_MAX) return '[too deep]';
    if (value instanceof Error) return errorData(value, (inner) => redact(inner, depth + 1));
    if (value instanceof Uint8Array) return `[${value.length} bytes]`;
    if (value instanceof Date) return value;
    if (value instanceof Map) return redact(Object.fromEntries(value), depth);
    if (Array.isArray(value) || value instanceof Set) {
      return [...value].slice(0, ITEMS_MAX).map((item) => redact(item, depth + 1));
    }
    const entries = Object.entries(value).slice(0, ITEMS_MAX);
    return Object.fromEntries(
      entries.map(([name, inner]) => [
        redactText(name),
        names.has(name.toLowerCase()) && inner !== null && inner !== undefined ? MASK : redact(inner, depth + 1),
      ]),
    );
  };
  return (value) => redact(value, 0);
}

function errorData(error: Error, redact: (value: unknown) => unknown): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code }),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause) }),
  };
}
