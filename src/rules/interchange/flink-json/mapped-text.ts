import type { Reporter, Span } from '../../source/source-file.js';

/** A text that is put together from another one, with the place there of each of its parts. */
export class MappedText {
  text = '';
  private readonly parts: { readonly start: number; readonly source: Span }[] = [];

  add(text: string, source: Span): void {
    this.parts.push({ start: this.text.length, source });
    this.text += text;
  }

  /** Reports of this text told at their places in the other one. */
  reporter(to: Reporter): Reporter {
    return {
      error: (code, span, message, hint) => to.error(code, this.sourceOf(span), message, hint),
      warning: (code, span, message, hint) => to.warning(code, this.sourceOf(span), message, hint),
    };
  }

  private sourceOf({ start, end }: Span): Span {
    const touched = this.parts.filter((part, i) => {
      const next = this.parts[i + 1]?.start ?? this.text.length;
      return part.start < Math.max(end, start + 1) && next > start;
    });
    if (touched.length === 0) return { start: 0, end: 0 };
    return {
      start: Math.min(...touched.map(({ source }) => source.start)),
      end: Math.max(...touched.map(({ source }) => source.end)),
    };
  }
}
