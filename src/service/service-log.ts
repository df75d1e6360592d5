import type { DetectorListener } from '../runtime/detector.js';
import type { Logger } from './logging/logger.js';
import { parseTraceparent, traceFields } from './tracing/traceparent.js';

/** What detection says of itself, as log lines. Alerts are not among them: an alert's message may hold personal data. */
export function logDetector(logger: Logger): DetectorListener {
  return {
    onAlert: ({ id, patternId, severity, score }, traceparent) =>
      logger.debug(
        { alert: id, pattern: patternId, severity, score, ...traceFields(parseTraceparent(traceparent)) },
        'alert',
      ),
    onPhase: (phase, trouble) => {
      if (trouble !== null) logger.warn({ phase, trouble }, 'detection is in trouble');
      else logger.info({ phase }, `detection is ${phase}`);
    },
    onPartitions: (partitions, change) =>
      logger.debug(
        { partitions: partitions.map(({ topic, partition }) => `${topic}-${partition}`) },
        `partitions ${change}`,
      ),
    onDeadLetter: ({ topic, partition }, offset, reason, detail) =>
      logger.warn({ topic, partition, offset, reason, detail }, 'a record cannot be read and went to the dead letters'),
    onQuarantined: ({ topic, partition }, { id, reason, detail, event }) =>
      // The key may be personal: it is in the status.
      logger.warn(
        { topic, partition, pattern: id, reason, detail, event },
        'a pattern is stopped in this partition: it exceeded a limit or failed',
      ),
    onCommit: (seconds, ok) => {
      if (!ok) logger.warn({ seconds }, 'a commit failed and is tried again');
    },
  };
}

/** Says when trouble begins, changes and ends. */
export function logTrouble(logger: Logger, what: string): (trouble: string | null) => void {
  return (trouble) => {
    if (trouble === null) logger.info(`${what}: works again`);
    else logger.warn({ trouble }, `${what}: in trouble, tried again until it works`);
  };
}
