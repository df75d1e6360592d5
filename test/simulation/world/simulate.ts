import { compare } from './compare.js';
import type { Tally } from './faults.js';
import { type Replayed, replayAll } from './oracle.js';
import { committedOutputs, type Outputs } from './outputs.js';
import { type SimulatedDelivery, SimWorld } from './sim-world.js';
import { VERSIONS } from './versions.js';

export interface Simulated {
  /** Empty: all is as it must be. */
  readonly problems: readonly string[];
  readonly tally: Tally;
  readonly steps: number;
  readonly trace: readonly string[];
}

/** Runs one seed, and says how what was committed differs from what it must be. */
export async function simulate(seed: number, delivery: SimulatedDelivery, traced = false): Promise<Simulated> {
  const trace: string[] = [];
  const world = new SimWorld({ seed, delivery, ...(traced && { trace: (line: string) => void trace.push(line) }) });
  const { tally, invariants, clock } = world;
  try {
    await world.run();
  } catch (error) {
    return { problems: [...invariants.problems, String(error)], tally, steps: clock.steps, trace };
  }
  const found = await committedOutputs(world.log);
  const replayed = await replayAll(world.log, world.scene.topics[0]!.partitions);
  const { problems, expected, repeats } = compare(found, replayed, delivery);
  tally.add('outputs', expected);
  tally.add('outputs repeated', repeats);
  tally.add('journal: ticks', replayed.ticks);
  tally.add('journal: changes of rules', replayed.changes);
  tally.add('journal: rules filled', replayed.fills);
  const plain = await againstPlain(seed, delivery, found, replayed, tally);
  return {
    problems: [...invariants.problems, ...replayed.problems, ...problems, ...plain],
    ...{ tally, steps: clock.steps, trace },
  };
}

/** Where nothing but the records decided, one lane to which nothing happens must give the same. */
async function againstPlain(
  seed: number,
  delivery: SimulatedDelivery,
  found: Outputs,
  { ticks, changes, begunWith }: Replayed,
  tally: Tally,
): Promise<readonly string[]> {
  const [digest] = begunWith;
  if (ticks > 0 || changes > 0 || begunWith.size !== 1) return [];
  tally.add('compared with an uninterrupted run');
  const plain = await plainOutputs(
    seed,
    VERSIONS.findIndex((version) => version.digest === digest),
  );
  const { problems } = compare(found, { expected: plain, overtaken: new Map() }, delivery);
  return problems.map((problem) => `not as uninterrupted: ${problem}`);
}

async function plainOutputs(seed: number, uninterrupted: number): Promise<Outputs> {
  const world = new SimWorld({ seed, delivery: 'exactly-once', uninterrupted });
  await world.run();
  return committedOutputs(world.log);
}

/** A run to which nothing happened, and how it differs from itself where one of its lists of outputs is another one. */
export async function uninterrupted(seed: number): Promise<{
  compareWith(change: (list: readonly string[]) => readonly string[]): readonly string[];
}> {
  const expected = await plainOutputs(seed, 0);
  const [name, list] = [...expected].find(([, outputs]) => outputs.length > 1)!;
  return {
    compareWith: (change) =>
      compare(new Map([...expected, [name, [...change(list)]]]), { expected, overtaken: new Map() }, 'exactly-once')
        .problems,
  };
}
