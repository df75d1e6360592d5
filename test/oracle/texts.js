/** Sorted: `<at> <match>` and `<at> timeout <time> <events>`. At an error of the skip strategy: what came before. */
export function resultTexts(result, at) {
  const end = result.failedAt === undefined ? null : { moment: result.failedAt, at: at(result.failedAt) };
  const before = (found) => end === null || (found.moment < end.moment && at(found.moment) !== end.at);
  return [
    ...result.matches.filter(before).map((m) => `${at(m.moment)} ${takenText(m.taken)}`),
    ...result.timeouts.filter(before).map((t) => `${at(t.moment)} timeout ${t.time} ${takenText(t.taken)}`),
    ...(end === null ? [] : [`${end.at} error`]),
  ].sort();
}
const textOf = new WeakMap();
/** `A:e0,e2 B:e3`. */
export function takenText(taken) {
  const text = textOf.get(taken) ?? writeTaken(taken);
  textOf.set(taken, text);
  return text;
}
function writeTaken(taken) {
  const steps = new Map();
  for (const { step, event } of taken) steps.set(step, [...(steps.get(step) ?? []), String(event.fields.id)]);
  return idsText([...steps]);
}
export const stepsText = (steps) =>
  idsText(steps.map((s) => [s.name, s.events.map((event) => String(event.fields.id))]));
export function idsText(steps) {
  return steps
    .map(([name, ids]) => `${name}:${ids.join(',')}`)
    .sort()
    .join(' ');
}
