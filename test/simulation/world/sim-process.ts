import type { Clock } from '../../../src/runtime/ports/clock.js';
import type { Chance } from './chance.js';
import { type Effect, type FaultOfEffect, fateOf, type Tally, type Weather } from './faults.js';
import type { SimClock } from './sim-clock.js';

/** What all processes share. */
export interface Surroundings {
  readonly clock: SimClock;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly tally: Tally;
  /** Resolves when the log can be reached. */
  reachable(from: SimProcess): Promise<void>;
  trace(who: string, text: string): void;
}

/** One thing that a process asks for. */
export interface Request<T> {
  readonly effect: Effect;
  /** On its own machine: there is no network in between, and a dead process's request is not on the way. */
  readonly local?: boolean;
  readonly act: () => Promise<T>;
  /** What the process is told when nothing happened. */
  readonly refusal?: () => Error;
  /** What it is told when it happened and the answer was lost. */
  readonly loss?: () => Promise<Error>;
}

/** An answer that does not come. */
export const never = <T>(): Promise<T> => new Promise(() => undefined);
/** Wall clock of a process that was never wrong, at the beginning. */
const EPOCH_MS = 1_000_000;
const FREEZES_MS = [20, 150, 700, 1500];

/**
 * A process that can stop: nothing passes its border, in or out, but through here. While it is frozen, what comes in waits. Once
 * it is dead, nothing comes out but requests that were on the way, and nothing in it goes on.
 */
export class SimProcess {
  private isDead = false;
  private isFrozen = false;
  private sendsOn = false;
  private inbox: (() => void)[] = [];
  private jumpedMs = 0;
  /** How often a lane in it was told of an error after which it may fail. */
  fatalFaults = 0;
  onSessionLost: () => void = () => undefined;
  onRebalance: () => void = () => undefined;
  onStill: () => void = () => undefined;

  readonly clock: Clock = {
    now: () => EPOCH_MS + this.around.clock.now() + this.jumpedMs,
    schedule: (ms, callback) => {
      let cancelled = false;
      const cancel = this.around.clock.schedule(ms, () => {
        this.receive(() => {
          if (!cancelled) callback();
        });
      });
      return () => {
        cancelled = true;
        cancel();
      };
    },
  };

  constructor(
    readonly name: string,
    readonly around: Surroundings,
  ) {}

  get dead(): boolean {
    return this.isDead;
  }

  get frozen(): boolean {
    return this.isFrozen;
  }

  trace(text: string): void {
    this.around.trace(this.name, text);
  }

  crash(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.sendsOn = this.around.chance.happens(0.5);
    this.inbox = [];
    this.trace('died');
    this.onStill();
  }

  freeze(): void {
    if (this.isDead || this.isFrozen) return;
    const { chance, clock } = this.around;
    const ms = chance.pick(FREEZES_MS);
    this.isFrozen = true;
    this.trace(`stands still for ${ms} ms`);
    this.onStill();
    clock.schedule(ms, () => this.thaw());
  }

  jump(ms: number): void {
    this.jumpedMs += ms;
    this.trace(`its clock jumps by ${ms} ms`);
  }

  /** Something reaches the process. */
  receive(act: () => void): void {
    if (this.isDead) return;
    if (this.isFrozen) this.inbox.push(act);
    else act();
  }

  /** Resolves when the process goes on; never when it is dead. */
  awake(): Promise<void> {
    return new Promise((resolve) => this.receive(resolve));
  }

  request<T>(request: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      void this.carry(request).then(
        (value) => this.receive(() => resolve(value)),
        (error: unknown) => this.receive(() => reject(error)),
      );
    });
  }

  private thaw(): void {
    if (this.isDead) return;
    this.isFrozen = false;
    this.trace('goes on');
    const inbox = this.inbox;
    this.inbox = [];
    for (const act of inbox) this.receive(act);
  }

  private async carry<T>(request: Request<T>): Promise<T> {
    const { effect, local = false, act } = request;
    const { weather, chance, clock, tally } = this.around;
    await this.awake();
    const { delayMs, replyMs, fault } = fateOf(effect, weather, chance);
    if (fault !== null) this.trace(`${fault}: ${effect}`);
    await this.before(effect, fault);
    if (delayMs > 0) {
      tally.add(`slow, ${effect}`);
      await clock.pause(delayMs);
    }
    if (!local) await this.around.reachable(this);
    await this.onTheWay(effect, fault);
    if (this.isDead && (local || !this.sendsOn)) return never();
    if (local) await this.awake();
    if (fault === 'refused' && request.refusal !== undefined) {
      tally.add(`refused, ${effect}`);
      throw request.refusal();
    }
    if (fault === 'reply lost' && request.loss !== undefined) {
      tally.add(`reply lost, ${effect}`);
      throw await request.loss();
    }
    const value = await act();
    tally.add(`effect: ${effect}`);
    if (effect !== 'read') this.trace(`did ${effect}`);
    this.after(effect, fault);
    if (replyMs > 0) {
      tally.add(`late reply, ${effect}`);
      await clock.pause(replyMs);
    }
    return value;
  }

  private async before(effect: Effect, fault: FaultOfEffect | null): Promise<void> {
    const { tally } = this.around;
    if (fault === 'crash before') {
      tally.add(`crash before, ${effect}`);
      this.crash();
      return never();
    }
    if (fault === 'freeze before') {
      tally.add(`freeze before, ${effect}`);
      this.freeze();
      await this.awake();
    }
  }

  private async onTheWay(effect: Effect, fault: FaultOfEffect | null): Promise<void> {
    const { tally, clock, chance } = this.around;
    if (fault === 'crash in flight') {
      tally.add(`crash in flight, ${effect}`);
      this.crash();
      this.sendsOn = true;
    } else if (fault === 'rebalance' || fault === 'session lost') {
      tally.add(`${fault}, ${effect}`);
      if (fault === 'rebalance') this.onRebalance();
      else this.onSessionLost();
    } else return;
    if (chance.happens(0.7)) await clock.pause(chance.between(0, 200));
  }

  private after(effect: Effect, fault: FaultOfEffect | null): void {
    const { tally } = this.around;
    if (fault === 'crash after') {
      tally.add(`crash after, ${effect}`);
      this.crash();
    } else if (fault === 'freeze after') {
      tally.add(`freeze after, ${effect}`);
      this.freeze();
    }
  }
}
