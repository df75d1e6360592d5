import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { Rule } from '../../rules/rule.js';
import type {
  Consideration,
  Detector,
  DetectorListener,
  DetectorPhase,
  DetectorStatus,
  Elsewhere,
  Question,
} from '../../runtime/detector.js';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { alertSpan } from '../tracing/alert-span.js';
import type { Traces } from '../tracing/traces.js';
import { AlertContext } from './alert-context.js';
import { AlertDispatcher, type DispatchStatus } from './alert-dispatcher.js';
import { alertFilterOf } from './alert-filter.js';
import { tellAll } from './detector-listeners.js';

export interface StakeoutStrategyOptions {
  /** Called once, when Nest starts the microservice. */
  readonly createDetector: (listener: DetectorListener) => Promise<Detector>;
  /** Told of everything, beside the handlers. */
  readonly listeners: readonly DetectorListener[];
  /** Makes the span of an alert; `null`: no traces. */
  readonly traces: Traces | null;
  /** A handler threw. Nest has logged what; `error` is what its exception filter made of it. */
  readonly onHandlerError: (error: unknown, alert: Alert) => void;
  readonly onListenerError: (error: unknown) => void;
}

type Events = { readonly phase: (phase: DetectorPhase, trouble: string | null) => void };

/**
 * Detection as a Nest microservice: Nest starts and stops the detector, and its alerts go to the methods with
 * `@EventPattern('alert')` or `@OnAlert(…)`.
 *
 * `close` lets the detector finish and commit what it holds, then waits for the handlers of what was found.
 */
export class StakeoutStrategy extends Server<Events, DetectorPhase> implements CustomTransportStrategy {
  override readonly transportId = Symbol.for('stakeout');
  /** We look at what comes of a handler, so Nest need not. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly dispatcher: AlertDispatcher;
  private readonly phaseCallbacks: Events['phase'][] = [];
  private detector: Detector | undefined;
  private closed: Promise<void> | null = null;

  constructor(private readonly options: StakeoutStrategyOptions) {
    super();
    this.dispatcher = new AlertDispatcher(options.onHandlerError);
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      const own: DetectorListener = {
        onAlert: (alert, traceparent) => this.dispatcher.dispatch(alert, traceparent),
        onPhase: (phase, trouble) => {
          this._status$.next(phase);
          for (const tell of this.phaseCallbacks) tell(phase, trouble);
        },
      };
      const listener = tellAll([...this.options.listeners, own], this.options.onListenerError);
      this.detector = await this.options.createDetector(this.traced(listener));
      await this.detector.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** All who are told of an alert are told its span: log lines and handlers go on in the same trace. */
  private traced(listener: DetectorListener): DetectorListener {
    const { traces, onListenerError } = this.options;
    if (traces === null) return listener;
    const onAlert: DetectorListener['onAlert'] = (alert, traceparent) =>
      listener.onAlert?.(alert, alertSpan(traces, alert, traceparent));
    return tellAll([{ ...listener, onAlert }], onListenerError);
  }

  /** Calling it again waits for the same end. */
  close(): Promise<void> {
    this.closed ??= this.stop();
    return this.closed;
  }

  private async stop(): Promise<void> {
    await this.detector?.stop();
    await this.dispatcher.drained();
  }

  /**
   * Handlers of one pattern are kept apart, where Nest would chain them: one that throws must not take the result of the
   * others with it. Patterns that are no alert's belong to other transports of the same application.
   */
  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false): void {
    const filter = isEventHandler ? alertFilterOf(pattern) : null;
    if (filter === null) return;
    callback.isEventHandler = true;
    this.dispatcher.add(filter, async (alert, traceparent) => {
      const result: unknown = await callback(alert, new AlertContext([traceparent]));
      await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
    });
  }

  on<K extends keyof Events>(_event: K, callback: Events[K]): void {
    this.phaseCallbacks.push(callback);
  }

  /** The detector; throws before the start. */
  unwrap<T = Detector>(): T {
    if (this.detector === undefined) throw new Error('the detector is not started yet');
    return this.detector as T;
  }

  /** `null` before the detector is there. */
  detectorStatus(): DetectorStatus | null {
    return this.detector?.status() ?? null;
  }

  /** `null` before the detector is there. */
  delivery(): DeliveryMode | null {
    return this.detector?.delivery() ?? null;
  }

  setDelivery(mode: DeliveryMode): void {
    this.detector?.setDelivery(mode);
  }

  /** See `Detector.consider`. Before the detector is there, everything is elsewhere. */
  async consider(question: Question): Promise<Consideration | Elsewhere> {
    return (await this.detector?.consider?.(question)) ?? { elsewhere: null };
  }

  rules(): readonly Rule[] {
    return this.detector?.rules() ?? [];
  }

  handlerStatus(): DispatchStatus {
    return this.dispatcher.status();
  }
}
