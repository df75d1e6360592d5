import { invalidInput, type ProblemItem } from '../problems/problem.js';

/** One transaction as it was sent, with the words for its place in messages: `[3]`, `line 4`, or none. */
export interface SentTransaction {
  readonly place: string;
  readonly value: unknown;
}

export const ndjsonTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** What a body holds: one transaction, a list of them, or (as text) NDJSON. Throws a problem with every line that is no JSON. */
export function sentTransactions(body: unknown): readonly SentTransaction[] {
  if (typeof body === 'string') return lines(body);
  if (Array.isArray(body)) return notEmpty(body.map((value, index) => ({ place: `[${index}]`, value })));
  return [{ place: '', value: body }];
}

function lines(text: string): readonly SentTransaction[] {
  const sent: SentTransaction[] = [];
  const errors: ProblemItem[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const place = `line ${index + 1}`;
    try {
      sent.push({ place: `${place}:`, value: JSON.parse(line) });
    } catch (error) {
      errors.push({ path: place, message: (error as Error).message });
    }
  });
  if (errors.length > 0) throw invalidInput('Nothing was written: not every line is JSON.', errors.slice(0, 100));
  return notEmpty(sent);
}

function notEmpty(sent: readonly SentTransaction[]): readonly SentTransaction[] {
  if (sent.length === 0)
    throw invalidInput('Nothing was sent.', [{ path: '', message: 'expected at least one transaction' }]);
  return sent;
}
