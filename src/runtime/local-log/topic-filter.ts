import type { TopicSelection } from '../ports/log.js';

/** Says whether a topic is selected: by name, or when its whole name fits the regular expression. */
export function topicFilter(selection: TopicSelection): (topic: string) => boolean {
  if ('names' in selection) {
    const names = new Set(selection.names);
    return (topic) => names.has(topic);
  }
  // Without g and y, which would make `test` remember where it stopped.
  const flags = selection.pattern.flags.replace(/[gy]/g, '');
  const whole = new RegExp(`^(?:${selection.pattern.source})$`, flags);
  return (topic) => whole.test(topic);
}
