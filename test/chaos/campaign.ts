/**
 * Rounds of faults on real Kafka: three brokers, two processes of one group, transactions at a steady rate throughout.
 *
 * A round is over when all is well again: both services are ready, each partition is live in one of them, and every alert is there
 * that follows from what was sent before the faults were over. In the end what is committed is compared with a replay of the
 * topics, and with what is known from how the records were made.
 */
import { cause, type FaultKind } from './faults.js';
import { Progress } from './progress.js';
import { checkpointsFolder, GROUP } from './settings.js';
import { type Judgement, STARTED_MAX_MS, Stage, type StageOptions } from './stage.js';

export interface CampaignOptions extends StageOptions {
  readonly plan: readonly (readonly FaultKind[])[];
  /** No round is begun after so long. */
  readonly roundsMaxMs: number;
}

export interface Round {
  readonly faults: readonly FaultKind[];
  /** What was done, in words. */
  readonly done: readonly string[];
  /** From the first fault until all was well again, and the longest time that a partition stood still, in ms. */
  readonly tookMs: number;
  readonly stoodMs: number;
}

export interface Outcome extends Judgement {
  readonly rounds: readonly Round[];
}

const SERVICES = ['a', 'b'];

export function campaign(options: CampaignOptions): Promise<Outcome> {
  return Stage.on(options, async (stage) => {
    for (const [i, name] of SERVICES.entries()) await stage.add(name, i === 0);
    const { services, traffic } = stage;
    for (const service of services) service.start();
    traffic.start();
    await Promise.all(services.map((service) => service.started(STARTED_MAX_MS)));
    await stage.well(STARTED_MAX_MS);
    const rounds = await allRounds(stage, options);
    await traffic.stop();
    await stage.settled();
    return { ...(await stage.judged()), rounds };
  });
}

async function allRounds(stage: Stage, options: CampaignOptions): Promise<readonly Round[]> {
  const { plan, patienceMs, roundsMaxMs, say, nodes, folder, delivery } = options;
  const { kafka, log, found, services, dice, problems } = stage;
  const rounds: Round[] = [];
  const progress = new Progress(log, GROUP);
  const around = { kafka, nodes, checkpoints: checkpointsFolder(folder) };
  const begunAt = performance.now();
  try {
    for (const faults of plan) {
      const from = performance.now();
      if (from - begunAt > roundsMaxMs) break;
      progress.takeLongest();
      const repeats = found.repeats;
      const done = await cause(faults, services, dice, around);
      const isWell = await stage.well(patienceMs);
      const round = { faults, done, tookMs: performance.now() - from, stoodMs: progress.takeLongest() };
      rounds.push(round);
      const again = found.repeats - repeats;
      const number = `round ${rounds.length}`;
      say(
        `${new Date().toISOString()} ${number}: ${done.join('; ')}: ${Math.round(round.tookMs)} ms, stood ${Math.round(round.stoodMs)} ms, ${found.counts.size} alerts${again > 0 ? `, ${again} repeats` : ''}; ${progress.offsets()}`,
      );
      if (again > 0 && delivery === 'exactly-once') problems.push(`${number}: ${again} repeats`);
      if (done.some((text) => text.includes('did not stop in time'))) problems.push(`${number}: ${done.join('; ')}`);
      if (isWell !== null) {
        problems.push(`${number} (${done.join('; ')}): ${isWell}`);
        say(`not well again: ${isWell}`);
        break;
      }
    }
  } finally {
    await progress.stop();
  }
  return rounds;
}
