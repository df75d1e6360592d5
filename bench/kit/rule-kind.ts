/** How a rule of these benchmarks is keyed, which decides how far its events go before they are looked at. */
export const RULE_KINDS = ['own', 'terminal', 'feature'] as const;
/**
 * `own`: by the topic's key. `terminal`: by another, so on a topic that events are forwarded to. `feature`: by the topic's key with a feature of
 * another, so two topics further on.
 */
export type RuleKind = (typeof RULE_KINDS)[number];

export function ruleKinds(option: string, text: string): readonly RuleKind[] {
  return text.split(',').map((name) => {
    const kind = RULE_KINDS.find((one) => one === name);
    if (kind === undefined) throw new Error(`--${option}: ${name} is none of ${RULE_KINDS.join(', ')}`);
    return kind;
  });
}

const FEATURE = `features:
  - {name: there, count: true, over: 1h, key: terminalId}
`;

/** The rule keyed so. `condition`: of its first step, which then reads the feature too. Its records need a `terminalId`. */
export function keyedAs(kind: RuleKind, rule: string, condition: string): string {
  if (kind === 'own') return rule;
  if (kind === 'terminal') return rule.replace('key: accountId', 'key: terminalId');
  return rule.replace('pattern:', `${FEATURE}pattern:`).replace(condition, `${condition} && there > 0`);
}
