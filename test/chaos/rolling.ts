/**
 * A rolling upgrade between two versions, and more and fewer processes, under load:
 *
 *     one process of the old version → three → each upgraded, one after the other → one taken back and upgraded again → one
 *
 * A process is stopped in good order, as an orchestrator does, and the next step begins when all is well: partitions are live in
 * those that run, and every alert is there that follows from what was sent before.
 */
import { Progress } from './progress.js';
import type { Service } from './service.js';
import { GROUP } from './settings.js';
import { type Judgement, STARTED_MAX_MS, Stage, type StageOptions } from './stage.js';

export interface RollingOptions extends StageOptions {
  /** Folder of the built package of the version before; `home` is that of the one that is upgraded to. */
  readonly oldHome: string;
  /** One process alone is upgraded, and none taken back. */
  readonly isShort?: boolean;
}

export interface Step {
  readonly what: string;
  /** Until all was well, and the longest time that a partition stood still, in ms. */
  readonly tookMs: number;
  readonly stoodMs: number;
}

export interface RollingOutcome extends Judgement {
  readonly steps: readonly Step[];
}

export function rolling(options: RollingOptions): Promise<RollingOutcome> {
  return Stage.on(options, (stage) => new Rolling(stage, options).run());
}

class Rolling {
  private readonly steps: Step[] = [];
  private readonly progress: Progress;
  private running: readonly Service[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly options: RollingOptions,
  ) {
    this.progress = new Progress(stage.log, GROUP);
  }

  async run(): Promise<RollingOutcome> {
    const { stage, options } = this;
    const services = [await stage.add('a', true), await stage.add('b', true), await stage.add('c', true)];
    const [a, b, c] = services as [Service, Service, Service];
    for (const service of services) service.home = options.oldHome;
    try {
      stage.traffic.start();
      await this.step('the old version alone', [a], () => a.start());
      await this.step('from one process to three', services, () => [b, c].forEach((service) => void service.start()));
      for (const service of options.isShort ? [b] : services) await this.over(service, options.home, 'upgraded');
      if (!options.isShort) await this.over(b, options.oldHome, 'taken back');
      if (!options.isShort) await this.over(b, options.home, 'upgraded again');
      await this.step('from three processes to one', [b], async () => {
        await Promise.all([a, c].map((service) => this.stop(service)));
      });
      await stage.traffic.stop();
    } finally {
      await this.progress.stop();
    }
    await stage.settled(this.running);
    return { ...(await stage.judged()), steps: this.steps };
  }

  private over(service: Service, home: string, what: string): Promise<void> {
    return this.step(`${service.name} ${what}`, this.running, async () => {
      await this.stop(service);
      service.home = home;
      service.start();
    });
  }

  private async stop(service: Service): Promise<void> {
    if (!(await service.stop())) this.stage.problems.push(`${service.name} did not stop in time`);
  }

  /** `then`: the processes that run afterwards. */
  private async step(what: string, then: readonly Service[], act: () => void | Promise<void>): Promise<void> {
    const { stage, options, progress } = this;
    const from = performance.now();
    progress.takeLongest();
    await act();
    this.running = then;
    const wrong = await stage.well(Math.max(options.patienceMs, STARTED_MAX_MS), then);
    const step = { what, tookMs: performance.now() - from, stoodMs: progress.takeLongest() };
    this.steps.push(step);
    options.say(
      `${new Date().toISOString()} ${what}: ${Math.round(step.tookMs)} ms, stood ${Math.round(step.stoodMs)} ms, ${stage.found.counts.size} alerts, ${stage.found.repeats} repeats`,
    );
    if (wrong !== null) throw new Error(`${what}: not well again: ${wrong}`);
  }
}
