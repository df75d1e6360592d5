import type { Rule } from '../../rules/rule.js';
import type { Detector } from '../../runtime/detector.js';
import { inMainThread, laneCount } from './lane-count.js';
import { LaneGroup } from './lane-group.js';
import { type LaneParts, makeLane } from './make-lane.js';
import { spawnLane } from './spawn-lane.js';

export interface DetectorParts extends Omit<LaneParts, 'number'> {
  /** What `sources` were compiled to. */
  readonly rules: readonly Rule[];
}

/** The detector that the settings ask for: one lane in this thread, or lanes in threads of their own. Throws as `makeLane` does. */
export function makeDetector(parts: DetectorParts): Detector {
  const { settings, sources, lists, paused, rules, log, store, clock, listener, report, warn } = parts;
  if (inMainThread(settings)) {
    if (settings.lanes !== 'auto' && settings.lanes > 0) {
      report(`lanes: ${settings.lanes} has no effect: on the embedded log detection runs in the main thread`);
    }
    return makeLane({ ...parts, number: 0 });
  }
  return new LaneGroup({
    ...{ rules, sources, lists, paused, store, clock, listener, report, warn, delivery: settings.delivery },
    restart: settings.restart,
    lanes: () => laneCount(settings, log),
    spawn: (number, statePort, { sources: now, lists: of, paused: not }) =>
      spawnLane({ settings, number, sources: now, lists: of, paused: not, statePort }),
  });
}
