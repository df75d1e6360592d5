/** What is being written of a rule, kept by the browser until it is published or thrown away. */

export interface Draft {
  readonly yaml: string;
  /** Null: those that are published. */
  readonly tests: string | null;
}

const name = (id: string): string => `stakeout.draft.${id}`;

export function readDraft(id: string): Draft | null {
  const text = localStorage.getItem(name(id));
  if (text === null) return null;
  try {
    return JSON.parse(text) as Draft;
  } catch {
    return null;
  }
}

export const keepDraft = (id: string, draft: Draft): void => localStorage.setItem(name(id), JSON.stringify(draft));
export const dropDraft = (id: string): void => localStorage.removeItem(name(id));

/** The same text with another status; comments and layout stay. */
export function withStatus(yaml: string, status: string): string {
  const line = /^status\s*:.*$/m;
  if (line.test(yaml)) return yaml.replace(line, `status: ${status}`);
  return yaml.replace(/^id\s*:.*$/m, (found) => `${found}\nstatus: ${status}`);
}

export const TEMPLATE = `id: my-pattern
title: Two large payments in ten minutes
status: draft
key: accountId
within: 10m
pattern:
  - begin: first
    where: amount > 1000.0
  - followedBy: second
    where: amount > 1000.0
alert:
  severity: medium
  message: "{{ first.amount }}, then {{ second.amount }}"
`;

export const TESTS_TEMPLATE = `tests:
  - name: fires
    events:
      - {id: t1, at: 0m, accountId: A1, type: Payment, amount: 1500}
      - {id: t2, at: 5m, accountId: A1, type: Payment, amount: 1200}
    alerts:
      - steps: {first: t1, second: t2}
  - name: stays quiet for small ones
    events:
      - {id: t1, at: 0m, accountId: A1, type: Payment, amount: 15}
      - {id: t2, at: 5m, accountId: A1, type: Payment, amount: 1200}
    alerts: []
`;
