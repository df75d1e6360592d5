/**
 * Documents whose commands are run. A fenced block is part of the run when its info string says so:
 *
 * | info string | meaning |
 * |---|---|
 * | `sh run` | run by `bash`, after all before it in the document; it must end with status 0 |
 * | `sh fails` | the same, but it must end with another status: a mistake that is shown |
 * | `sh start` | started, and left running until the document ends, or the next `sh stop` |
 * | `sh stop` | what was started is ended, as by Ctrl-C; the text is for people |
 * | `sh retry` | as `run`, again and again until what follows in `text expect` is in its output: what takes a moment |
 * | `sh watch` | as `run`, but it does not end by itself: it is ended once what follows in `text expect` is in its output |
 * | `yaml file=NAME` (or another language) | written to NAME first |
 * | `text expect` | each line is in what the block before it printed; `…` in a line stands for anything |
 *
 * All other blocks are only shown. Readers of Markdown look at the first word alone, so none of it is seen. Blocks within a comment
 * (`<!-- … -->`) count as well, and are not seen at all: they prepare what a document takes for granted.
 */
export interface Block {
  readonly kind: 'run' | 'fails' | 'start' | 'stop' | 'retry' | 'watch' | 'file' | 'expect';
  /** Of the file, for `file`. */
  readonly name: string;
  readonly text: string;
  /** Line of the first line of its text, from 1. */
  readonly line: number;
}

const KINDS = ['run', 'fails', 'start', 'stop', 'retry', 'watch', 'expect'] as const;

/** The blocks of a document that take part, in order. Throws for a fence that is never closed. */
export function blocksOf(document: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = document.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const opening = /^```(\S*)\s*(.*)$/.exec(lines[at]!);
    if (opening === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: the block never ends`);
    const [, , info = ''] = opening;
    const text = lines.slice(at + 1, end).join('\n');
    const file = /^file=(\S+)$/.exec(info);
    const kind = file === null ? KINDS.find((known) => known === info) : 'file';
    if (kind !== undefined) blocks.push({ kind, name: file?.[1] ?? '', text, line: at + 2 });
    else if (info !== '') throw new Error(`line ${at + 1}: "${info}" is no mark; see test/documents/kit/document.ts`);
    at = end;
  }
  return blocks;
}

/** The first line that is not in the output; `null`: all are. */
export function missingIn(output: string, expected: string): string | null {
  const lines = output.split('\n');
  for (const line of expected.split('\n').filter((text) => text.trim() !== '')) {
    const parts = line
      .trim()
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const wanted = new RegExp(parts.join('.*'));
    if (!lines.some((text) => wanted.test(text))) return line;
  }
  return null;
}
