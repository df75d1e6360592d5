import { compare } from './compare.js';
import type { Tally } from './faults.js';
import { replayAll } from './oracle.js';
import { committedOutputs } from './outputs.js';
import { type SimulatedDelivery, SimWorld } from './sim-world.js';

export interface Simulated {
  /** Empty: all is as it must be. */
  readonly problems: readonly string[];
  readonly tally: Tally;
  readonly steps: number;
  readonly trace: readonly string[];
}

/** Runs one seed, and says how what was committed differs from what a replay with nothing in between gives. */
export async function simulate(seed: number, delivery: SimulatedDelivery, traced = false): Promise<Simulated> {
  const trace: string[] = [];
  const world = new SimWorld({ seed, delivery, ...(traced && { trace: (line: string) => void trace.push(line) }) });
  const { tally, invariants, clock } = world;
  try {
    await world.run();
  } catch (error) {
    return { problems: [...invariants.problems, String(error)], tally, steps: clock.steps, trace };
  }
  const replayed = await replayAll(world.log, world.partitions);
  const { problems, expected, repeats } = compare(await committedOutputs(world.log), replayed, delivery);
  tally.add('outputs', expected);
  tally.add('ticks', replayed.ticks);
  tally.add('changes of rules', replayed.changes);
  tally.add('repeats', repeats);
  return { problems: [...invariants.problems, ...replayed.problems, ...problems], tally, steps: clock.steps, trace };
}
