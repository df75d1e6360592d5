import type {
  GroupListener,
  GroupMember,
  GroupOptions,
  Log,
  LogProducer,
  TransactionalProducer,
} from '../../src/runtime/ports/log.js';
import type { PartitionState, StateStore } from '../../src/runtime/ports/state-store.js';

/**
 * A process that dies: the log and the state store as it sees them. Each effect (send, commit, write of state) is a step; at
 * the chosen step the process dies, before or after the effect. From then on nothing that it asked for comes back, nothing
 * that it does has an effect, and nothing reaches it.
 */
export class CrashingProcess {
  private steps = 0;
  private dead = false;
  private readonly died: Promise<void>;
  private die: () => void = () => undefined;
  private member: GroupMember | null = null;

  constructor(
    private readonly underlyingLog: Log,
    private readonly underlyingStore: StateStore,
    /** `step`: 1 is the first effect; infinity: it lives. */
    private readonly crash: { readonly step: number; readonly after: boolean },
  ) {
    this.died = new Promise((resolve) => {
      this.die = resolve;
    });
  }

  get isDead(): boolean {
    return this.dead;
  }

  /** What died at which effect, for messages. */
  diedAt = '';

  readonly log: Log = this.proxyLog();
  readonly store: StateStore = {
    partition: async (p) => this.wrapState(await this.underlyingStore.partition(p)),
    close: async () => undefined,
  };

  /** What the group coordinator does once it notices: the member is out. */
  async bury(): Promise<void> {
    await this.member?.close();
  }

  private async effect<T>(name: string, act: () => Promise<T>): Promise<T> {
    if (this.dead) return this.never();
    const last = ++this.steps === this.crash.step;
    if (last && !this.crash.after) return this.kill(`before ${name}`);
    const result = await act();
    if (last) return this.kill(`after ${name}`);
    return this.dead ? this.never() : result;
  }

  private kill(where: string): Promise<never> {
    this.dead = true;
    this.diedAt = where;
    this.die();
    return this.never();
  }

  private never(): Promise<never> {
    return new Promise(() => undefined);
  }

  private proxyLog(): Log {
    return new Proxy({} as Log, {
      get: (_, name) => {
        if (name === 'producer') return async () => this.wrapProducer(await this.underlyingLog.producer());
        if (name === 'transactionalProducer')
          return async () => this.wrapTransactions(await this.underlyingLog.transactionalProducer());
        if (name === 'join') return (options: GroupOptions, listener: GroupListener) => this.join(options, listener);
        const value = Reflect.get(this.underlyingLog, name) as unknown;
        return typeof value === 'function' ? value.bind(this.underlyingLog) : value;
      },
    });
  }

  private wrapProducer(producer: LogProducer): LogProducer {
    return { send: (records) => this.effect('send', () => producer.send(records)), close: () => producer.close() };
  }

  private wrapTransactions(producer: TransactionalProducer): TransactionalProducer {
    return {
      commit: (_, records, offsets) =>
        this.effect('transaction', () => producer.commit(this.member!, records, offsets)),
      close: () => producer.close(),
    };
  }

  private wrapState(state: PartitionState): PartitionState {
    return {
      cut: () => state.cut(),
      entries: () => state.entries(),
      write: (batch) => this.effect('state write', () => state.write(batch)),
      clear: () => this.effect('state clear', () => state.clear()),
    };
  }

  private async join(options: GroupOptions, listener: GroupListener): Promise<GroupMember> {
    const alive = <T>(act: () => Promise<T> | T, otherwise: T): Promise<T> =>
      this.dead ? Promise.resolve(otherwise) : Promise.race([Promise.resolve(act()), this.died.then(() => otherwise)]);
    const member = await this.underlyingLog.join(options, {
      ...listener,
      onAssigned: (p) => alive(() => listener.onAssigned(p), undefined),
      onRevoked: (p) => alive(() => listener.onRevoked(p), undefined),
      onLost: (p) => alive(() => listener.onLost(p), undefined),
      onBatch: (b) => alive(() => listener.onBatch(b), undefined),
      onTrouble: (e) => listener.onTrouble(e),
      onRecovered: () => listener.onRecovered(),
      onFatal: (e) => listener.onFatal(e),
    });
    this.member = member;
    return {
      commit: (offsets) => this.effect('commit', () => member.commit(offsets)),
      pause: (p) => member.pause(p),
      resume: (p) => member.resume(p),
      assignment: () => member.assignment(),
      close: () => member.close(),
    };
  }
}
