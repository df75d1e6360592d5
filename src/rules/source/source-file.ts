import type { Diagnostic } from '../diagnostic.js';

/** A piece of a file, as offsets into its text (UTF-16 units); `end` is the first one after it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where conditions and templates report to: spans there count in their own text. */
export interface Reporter {
  error(code: string, span: Span, message: string, hint?: string): void;
  warning(code: string, span: Span, message: string, hint?: string): void;
}

/** The text of one rule file, and everything that was found wrong with it. */
export class SourceFile implements Reporter {
  private readonly found: (Diagnostic & { readonly at: number })[] = [];
  private readonly lineStarts: number[] = [0];

  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.lineStarts.push(i + 1);
  }

  error(code: string, span: Span, message: string, hint?: string): void {
    this.report('error', code, span, message, hint);
  }

  warning(code: string, span: Span, message: string, hint?: string): void {
    this.report('warning', code, span, message, hint);
  }

  get hasErrors(): boolean {
    return this.found.some((d) => d.severity === 'error');
  }

  /** All that was found, in the order of the file. */
  get diagnostics(): readonly Diagnostic[] {
    return this.found.toSorted((a, b) => a.at - b.at).map(({ at: _, ...diagnostic }) => diagnostic);
  }

  private report(severity: Diagnostic['severity'], code: string, span: Span, message: string, hint?: string): void {
    const start = Math.min(Math.max(span.start, 0), this.text.length);
    const line = this.lineOf(start);
    const lineStart = this.lineStarts[line]!;
    const excerpt = this.text.slice(lineStart, this.lineStarts[line + 1] ?? this.text.length).replace(/\r?\n$/, '');
    const length = Math.max(1, Math.min(span.end, lineStart + excerpt.length) - start);
    this.found.push({
      severity,
      code,
      message,
      file: this.file,
      line: line + 1,
      column: start - lineStart + 1,
      length,
      excerpt,
      ...(hint === undefined ? {} : { hint }),
      at: start,
    });
  }

  private lineOf(offset: number): number {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
