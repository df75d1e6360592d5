/** Where a command writes. People's text and progress go to standard error in `--json` mode, so that standard output is one document. */
export interface Output {
  /** For people. */
  say(text: string): void;
  /** The command's result: as JSON with `--json`, else by `text`. */
  result(value: unknown, text: () => string): void;
  /** One line that is written over, in a terminal; elsewhere nothing. An empty text removes it. */
  progress(text: string): void;
  readonly json: boolean;
}

export function makeOutput(json: boolean, streams: Pick<NodeJS.Process, 'stdout' | 'stderr'> = process): Output {
  const people = json ? streams.stderr : streams.stdout;
  return {
    json,
    say: (text) => void people.write(`${text}\n`),
    result: (value, text) => void streams.stdout.write(`${json ? JSON.stringify(value) : text()}\n`),
    progress: (text) => {
      if (streams.stderr.isTTY) streams.stderr.write(`\r\u001b[2K${text}`);
    },
  };
}
