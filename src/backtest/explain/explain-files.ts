import type { Lists } from '../../engine/index.js';
import { keysBy } from '../../rules/key-of.js';
import { isTaken } from '../../rules/streams-read.js';
import { Explainer, type Question, rangeOf } from '../../runtime/explain/explainer.js';
import type { Explanation } from '../../runtime/explain/explanation.js';
import { streamDefinition } from '../../runtime/stream.js';
import { type AlertSource, nameEvent } from '../../runtime/task/alert/alert-builder.js';
import type { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import type { RuleOptions } from '../../runtime/task/keyed/keyed-engine.js';
import type { SourceEvent } from '../../runtime/task/source-event.js';
import type { FileStream } from '../run/file-streams.js';
import { runFiles } from '../run/run-files.js';
import type { RunListener } from '../run/run-options.js';

export interface ExplainFilesOptions extends RuleOptions {
  readonly lists?: Lists;
  /** What stands for personal values in alerts; absent: the values themselves. */
  readonly pseudonyms?: Pseudonyms | undefined;
  readonly listener?: Pick<RunListener, 'onProgress' | 'onBadRow'>;
}

/**
 * Why a rule fired for a key at a time, or why it did not, from files. They are run with this rule and key alone, and what the engine
 * takes in is looked at again, run by run. Throws `RunError`.
 */
export async function explainFiles(
  streams: readonly FileStream[],
  question: Question,
  { listener, ...options }: ExplainFilesOptions = {},
): Promise<Explanation> {
  const { rule, key } = question;
  const keysOf = keysBy(rule.keyBy);
  const { until } = rangeOf(question);
  let source: AlertSource | null = null;
  const { lists, limits, quantifierGap } = options;
  const runsMax = rule.limits?.runsMax ?? limits?.runsMax;
  const explainer = new Explainer({
    ...question,
    ...(lists && { lists }),
    ...(quantifierGap && { quantifierGap }),
    ...(runsMax !== undefined && { runsMax }),
    kindParents: new Map(streams.flatMap(({ settings }) => [...streamDefinition(settings).kindParents])),
    tell: (event) => ({
      ...nameEvent(event as SourceEvent, source!),
      ...(streams.length > 1 && event.stream !== undefined ? { stream: event.stream } : {}),
    }),
  });
  await runFiles(
    streams,
    [rule],
    {
      ...listener,
      onAlert: (alert) => explainer.onAlert(alert),
      onProcessed: (event, from) => {
        source = from;
        if (!isTaken(rule, event) || !keysOf(event).includes(key)) return;
        event.detach();
        explainer.feed(event);
      },
      isEnough: (watermark) => watermark > until,
    },
    () => 0,
    { ...options, ownsKey: (of) => of === key },
  );
  return explainer.finish(Number.POSITIVE_INFINITY);
}
