/** The console while answers are on their way, and where they fail: each page says so, and is there when they come. */
import type { Page, Route } from 'playwright-core';
import { until } from '../harness/until.js';
import { breachesInBothThemes, Consoles } from './kit/console.js';

let consoles: Consoles;
let alertId = '';
beforeAll(async () => {
  consoles = await Consoles.start();
  alertId = await consoles.anAlert();
});
afterAll(() => consoles.stop());

/** Pages that ask for something when they are opened. */
const PAGES = [
  ...['alerts', 'alerts?view=repeats', 'alerts/ID', 'patterns', 'patterns/card-testing'],
  ...['patterns/card-testing/health', 'patterns/card-testing/history', 'patterns/card-testing/shadow'],
  ...['revisions', 'backtests', 'lists', 'snoozes', 'system'],
];

/** Stands between a page and the API. */
class Between {
  private readonly held: Route[] = [];
  private state: 'holds' | 'fails' | 'passes' = 'holds';

  async stand(page: Page): Promise<void> {
    await page.route(/\/v1\//, async (route) => {
      if (this.state === 'holds') this.held.push(route);
      else if (this.state === 'fails') await this.fail(route);
      else await route.continue();
    });
  }

  async failAll(): Promise<void> {
    this.state = 'fails';
    for (const route of this.held.splice(0)) await this.fail(route);
  }

  pass(): void {
    this.state = 'passes';
  }

  private fail(route: Route): Promise<void> {
    const body = { type: 'about:blank', title: 'Unavailable', status: 503, code: 'AWAY', detail: 'The store is away.' };
    // A page that has been left asks for nothing any more.
    return route
      .fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(body) })
      .catch(() => undefined);
  }
}

it.each(PAGES)('%s says that it loads, what went wrong, and comes when it is asked for again', async (path) => {
  const page = await consoles.page();
  const between = new Between();
  await between.stand(page);
  await page.goto(`${consoles.url}/#/${path.replace('ID', alertId)}`);
  const waiting = page.locator('main .waiting');
  await waiting.first().waitFor();
  expect(await breachesInBothThemes(page)).toEqual([]);
  await between.failAll();
  const trouble = page.locator('main [role=alert]', { hasText: 'The store is away.' });
  await trouble.first().waitFor();
  await waiting.first().waitFor({ state: 'detached' });
  expect(await breachesInBothThemes(page)).toEqual([]);
  between.pass();
  const again = page.getByRole('button', { name: 'Try again' }).first();
  await until(async () => {
    // Some pages ask again by themselves, so it may be gone by now.
    if (await again.isVisible()) await again.click({ timeout: 1000 }).catch(() => undefined);
    return (await trouble.count()) === 0;
  }, 'what was asked for again');
  await page.close();
});
