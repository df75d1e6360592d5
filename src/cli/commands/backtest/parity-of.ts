import type { Backtest } from '../../../backtest/backtest.js';
import { type Parity, parity } from '../../../backtest/verify/parity.js';
import type { LogReader } from '../../../runtime/ports/log.js';
import { AlertTopicCodec } from '../../../service/compose/alert-topic-codec.js';
import { makeRegistry } from '../../../service/compose/streams/stream-parts.js';
import type { Prepared } from './prepare.js';

/** What the back-test of a topic has found, beside what a service has committed. */
export async function parityOf(
  { log, settings, rules }: Prepared & { readonly log: LogReader },
  { protocol, run, findings }: Backtest,
): Promise<Parity | null> {
  const { topic: alertsTopic } = settings.alerts;
  const decoder = new AlertTopicCodec(makeRegistry(settings), alertsTopic);
  const own = rules.plan.sets[0].rules.map((index) => rules.plan.rules[index]!);
  const replayed = { ...run, found: findings.told };
  return parity({ log, alertsTopic, decoder, rules: own, protocol, replayed });
}
