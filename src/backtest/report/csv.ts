import type { Measured } from '../measure.js';

const HEAD = ['id', 'time', 'score', 'fraud', 'scenario', 'detected', 'amount', 'card', 'rules'];

/** Every accused transaction as a row of CSV (RFC 4180), in order of time; and every fraud that was missed, with an empty score. */
export function csvOf({ done, verdicts }: Measured): string {
  const found = new Set(verdicts.accused.map((a) => a.subject.id));
  const accused = verdicts.accused.map(({ subject, score, fraud, at, rules }) => ({
    ...{ subject, score: String(score), fraud, at: iso(at) },
    rules: rules.map((index) => done.plan.rules[index]!.id).join(' '),
  }));
  const missed = verdicts.frauds.flatMap((fraud) =>
    found.has(fraud.id) ? [] : { subject: fraud, score: '', fraud, at: '', rules: '' },
  );
  const rows = [...accused, ...missed].sort(
    (a, b) => a.subject.time - b.subject.time || (a.subject.id < b.subject.id ? -1 : 1),
  );
  const isKnown = done.labels !== null;
  const lines = rows.map(({ subject, score, fraud, at, rules }) => [
    ...[subject.id, iso(subject.time), score, isKnown ? String(fraud !== null) : ''],
    ...[fraud?.label.scenarios.join(' ') ?? '', at, String(subject.amount), subject.card, rules],
  ]);
  return [HEAD, ...lines].map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
}

const iso = (time: number): string => new Date(time).toISOString();
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
