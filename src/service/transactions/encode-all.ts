import { invalidInput, type ProblemItem } from '../problems/problem.js';
import type { SentTransaction } from './sent-transactions.js';
import type { EncodedTransaction, TransactionIngest } from './transaction-ingest.js';

const ERRORS_MAX = 100;

/** Throws a problem 422 with everything that is wrong in any of them. `outcome`: what has not happened then, as a sentence. */
export function encodeAll(
  ingest: TransactionIngest,
  sent: readonly SentTransaction[],
  outcome: string,
): readonly EncodedTransaction[] {
  const transactions: EncodedTransaction[] = [];
  const errors: ProblemItem[] = [];
  for (const { place, value } of sent) {
    const result = ingest.encode(value);
    if (result.ok) transactions.push(result.transaction);
    else {
      for (const { path, expected, got } of result.problems) {
        errors.push({ path: join(place, path), message: `expected ${expected}, got ${got}` });
      }
    }
  }
  if (errors.length === 0) return transactions;
  const more = errors.length > ERRORS_MAX ? ` The first ${ERRORS_MAX} of ${errors.length} errors are listed.` : '';
  throw invalidInput(`${outcome}${more}`, errors.slice(0, ERRORS_MAX), 422);
}

function join(place: string, path: string): string {
  return place === '' || path === '' ? place + path : `${place}${path.startsWith('[') ? '' : '.'}${path}`;
}
