import type { DetectorListener } from '../../runtime/detector.js';

type Method = keyof DetectorListener;

/** One listener that tells several. One that throws is reported and does not keep the others, or detection, from going on. */
export function tellAll(listeners: readonly DetectorListener[], onError: (error: unknown) => void): DetectorListener {
  const tell =
    <M extends Method>(method: M) =>
    (...args: Parameters<NonNullable<DetectorListener[M]>>) => {
      for (const listener of listeners) {
        try {
          (listener[method] as ((...args: unknown[]) => void) | undefined)?.apply(listener, args);
        } catch (error) {
          onError(error);
        }
      }
    };
  return {
    onAlert: tell('onAlert'),
    onPhase: tell('onPhase'),
    onPartitions: tell('onPartitions'),
    onDeadLetter: tell('onDeadLetter'),
    onQuarantined: tell('onQuarantined'),
    onBatch: tell('onBatch'),
    onCommit: tell('onCommit'),
  };
}
