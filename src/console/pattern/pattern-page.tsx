import type { Place } from '../lib/router.js';
export function PatternPage(_: { id: string; tab: string; place: Place }) {
  return <div class="page" />;
}
