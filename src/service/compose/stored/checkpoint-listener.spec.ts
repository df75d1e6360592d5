import { checkpointListener } from './checkpoint-listener.js';

const P0 = { topic: 'transactions', partition: 0 };
const P1 = { topic: 'transactions', partition: 1 };
const DONE = { number: 1, kind: 'base', position: 1, timeMs: 0, durationMs: 1, bytes: 1 } as const;

/** What is said when checkpoints come out so: `0!` fails, `0` succeeds. */
function said(restartAfter: number, ...outcomes: readonly string[]): readonly string[] {
  const lines: string[] = [];
  const listener = checkpointListener({
    restartAfter,
    report: (text) => lines.push(text),
    warn: (text) => lines.push(text),
    restart: ({ partition }, { message }) => lines.push(`restart ${partition}: ${message}`),
  });
  for (const outcome of outcomes) {
    const partition = outcome.startsWith('0') ? P0 : P1;
    if (outcome.endsWith('!')) listener.onFailure?.(partition, new Error('no disk'));
    else listener.onCheckpoint?.(partition, DONE);
  }
  return lines;
}

describe('what follows from checkpoints', () => {
  const restart = 'restart 0: 3 checkpoints of transactions-0 in a row failed: no disk';

  it.each<[string, number, readonly string[], readonly string[]]>([
    ['is a restart of the lane after so many failures in a row', 3, ['0!', '0!', '0!'], [restart]],
    ['is none before', 3, ['0!', '0!'], []],
    ['is none when one succeeds between', 3, ['0!', '0!', '0', '0!', '0!'], []],
    ['counts each partition by itself', 3, ['0!', '1!', '0!', '1!', '0!'], [restart]],
    ['is another restart after as many more', 3, ['0!', '0!', '0!', '0!', '0!', '0!'], [restart, restart]],
    ['is none where none is wanted', 0, ['0!', '0!', '0!'], []],
  ])('%s', (_, restartAfter, outcomes, expected) => {
    expect(said(restartAfter, ...outcomes)).toEqual(expected);
  });
});
