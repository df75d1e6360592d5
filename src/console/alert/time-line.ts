import type { AlertStep } from '../api/types.js';

export interface LaneEvent {
  readonly id: string;
  readonly step: number;
  readonly time: number;
  /** 0 to 1, from the first event to the last. */
  readonly at: number;
  /** Which of those at (nearly) the same place in the lane. */
  readonly beside: number;
}

export interface TimeLine {
  readonly from: number;
  readonly to: number;
  readonly events: readonly LaneEvent[];
  readonly ticks: readonly { readonly at: number; readonly ms: number }[];
}

/** Steps of ticks that people count in, ms. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1_200e3, 1_800e3],
  ...[3_600e3, 7_200e3, 10_800e3, 21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3, 2_592_000e3],
];
/** Nearer than this share of the width, two events lie on each other. */
const NEAR = 0.012;

/** Events of an alert along the time from the first to the last. Ticks count from the first event. */
export function timeLine(steps: readonly AlertStep[], ticksMax = 6): TimeLine {
  const times = steps.flatMap(({ events }) => events.map(({ eventTime }) => eventTime));
  const from = Math.min(...times);
  const to = Math.max(...times);
  const span = to - from;
  const at = (time: number): number => (span === 0 ? 0.5 : (time - from) / span);
  const events = steps.flatMap((step, n) => {
    let last = Number.NEGATIVE_INFINITY;
    let beside = 0;
    return step.events.map(({ id, eventTime }) => {
      beside = at(eventTime) - last < NEAR ? beside + 1 : 0;
      last = at(eventTime);
      return { id, step: n, time: eventTime, at: last, beside };
    });
  });
  const pace = STEPS.find((ms) => span / ms <= ticksMax) ?? span;
  const ticks = span === 0 ? [{ at: 0.5, ms: 0 }] : [];
  for (let ms = 0; span > 0 && ms <= span; ms += pace) ticks.push({ at: ms / span, ms });
  return { from, to, events, ticks };
}
