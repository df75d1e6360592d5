import { Scalar } from 'yaml';
import type { Reporter, SourceFile, Span } from './source-file.js';

/**
 * The text of a YAML scalar, with the place in the file of each of its characters. YAML folds and indents white space
 * and escapes characters, but it keeps all others in order; so the n-th character that is not white space here is the
 * n-th such one there.
 */
export class ScalarText implements Reporter {
  readonly text: string;
  /** Offset in the file of every character, and of the end. */
  private readonly offsets: readonly number[];

  constructor(
    private readonly source: SourceFile,
    node: Scalar,
  ) {
    this.text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    this.offsets = align(this.text, source.text, node);
  }

  error(code: string, span: Span, message: string, hint?: string): void {
    this.source.error(code, this.inFile(span), message, hint);
  }

  warning(code: string, span: Span, message: string, hint?: string): void {
    this.source.warning(code, this.inFile(span), message, hint);
  }

  /** The span in the file of a span of this text. */
  private inFile(span: Span): Span {
    const last = this.offsets.length - 1;
    const start = this.offsets[Math.min(span.start, last)]!;
    const end = span.end > span.start ? this.offsets[Math.min(span.end - 1, last)]! + 1 : start;
    return { start, end };
  }
}

const SPACE = /\s/;

function align(text: string, file: string, node: Scalar): number[] {
  const [from, to] = node.range ?? [0, 0];
  const solid = solidOffsets(file, from, to, node.type);
  const offsets: number[] = [];
  let next = 0;
  let last = (solid[0] ?? from) - 1;
  for (const char of text.split('')) {
    if (!SPACE.test(char)) last = solid[next++] ?? last;
    else last++;
    offsets.push(Math.min(last, to));
  }
  offsets.push(Math.min(last + 1, to));
  return offsets;
}

/** Offsets of the characters of a scalar that are not white space once it is decoded. */
function solidOffsets(file: string, from: number, to: number, type: Scalar['type']): number[] {
  switch (type) {
    case Scalar.QUOTE_DOUBLE:
      return doubleQuoted(file, from + 1, to - 1);
    case Scalar.QUOTE_SINGLE:
      return plain(file, from + 1, to - 1, true);
    case Scalar.BLOCK_LITERAL:
    case Scalar.BLOCK_FOLDED: {
      const header = file.indexOf('\n', from);
      return plain(file, header < 0 ? to : header + 1, to, false);
    }
    default:
      return plain(file, from, to, false);
  }
}

function plain(file: string, from: number, to: number, quotesDoubled: boolean): number[] {
  const offsets: number[] = [];
  for (let i = from; i < to; i++) {
    if (SPACE.test(file[i]!)) continue;
    offsets.push(i);
    if (quotesDoubled && file[i] === "'") i++;
  }
  return offsets;
}

/** Escapes of one letter that stand for white space. */
const SPACE_ESCAPES = new Set(['n', 't', 'r', 'v', 'f', ' ', '\t', '_', 'L', 'P']);
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function doubleQuoted(file: string, from: number, to: number): number[] {
  const offsets: number[] = [];
  for (let i = from; i < to; i++) {
    const char = file[i]!;
    if (char !== '\\') {
      if (!SPACE.test(char)) offsets.push(i);
      continue;
    }
    const letter = file[i + 1]!;
    const digits = HEX_DIGITS[letter] ?? 0;
    if (digits > 0) {
      const decoded = String.fromCodePoint(Number.parseInt(file.slice(i + 2, i + 2 + digits), 16) || 0);
      if (!SPACE.test(decoded)) for (let unit = 0; unit < decoded.length; unit++) offsets.push(i);
    } else if (!SPACE_ESCAPES.has(letter) && letter !== '\n' && letter !== '\r') {
      offsets.push(i);
    }
    i += 1 + digits;
  }
  return offsets;
}
