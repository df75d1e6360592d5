/** The console for everyone: without breaches of WCAG 2.2 AA in either theme, by keys alone, and on a phone. */
import type { Page } from 'playwright-core';
import { breachesInBothThemes, Consoles, PHONE } from './kit/console.js';

let consoles: Consoles;
let alertId = '';
beforeAll(async () => {
  consoles = await Consoles.start();
  alertId = await consoles.anAlert();
});
afterAll(() => consoles.stop());

/** What says that a page is complete. */
const PAGES: readonly (readonly [path: string, complete: string])[] = [
  ['alerts', '.feed-row'],
  ['alerts?view=repeats', '.table tbody tr'],
  ['alerts/ID', '.steps code'],
  ['patterns', '.table tbody tr'],
  ['patterns/card-testing', '.nfa .state'],
  ['patterns/card-testing/health', '.figures'],
  ['patterns/card-testing/history', '.empty'],
  ['patterns/card-testing/shadow', '.page select'],
  ['patterns/new', '.nfa .state'],
  ['revisions', '.empty'],
  ['backtests', '.empty'],
  ['backtests?new=yes', 'dialog[open]'],
  ['explain', '.ask'],
  ['lists', '.empty'],
  ['snoozes', '.empty'],
  ['system', '.table td'],
  ['nothing', '.empty'],
];

/** Those about alerts. */
const ON_A_PHONE = PAGES.filter(([path]) => /^(alerts|snoozes)/.test(path));

async function open(page: Page, path: string, complete: string): Promise<void> {
  await page.goto(`${consoles.url}/#/${path.replace('ID', alertId)}`);
  await page.locator(complete).first().waitFor();
  await page.locator('.waiting').first().waitFor({ state: 'detached' });
}

describe('axe, in either theme', () => {
  it('finds nothing wrong with any page', async () => {
    const page = await consoles.page();
    const found: Record<string, readonly string[]> = {};
    for (const [path, complete] of PAGES) {
      await open(page, path, complete);
      found[path] = await breachesInBothThemes(page);
    }
    expect(found).toEqual(Object.fromEntries(PAGES.map(([path]) => [path, []])));
    await page.close();
  });

  it('finds nothing wrong with the alerts on a phone, which need no room beyond the screen', async () => {
    const page = await consoles.page({ viewport: PHONE, hasTouch: true });
    for (const [path, complete] of ON_A_PHONE) {
      await open(page, path, complete);
      expect([path, await breachesInBothThemes(page)]).toEqual([path, []]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    }
    await page.close();
  });
});

describe('a service that asks who one is', () => {
  it('is given an API key, which goes with every question from then on', async () => {
    const page = await consoles.page();
    const keys: (string | undefined)[] = [];
    await page.route(/\/v1\//, async (route) => {
      if (route.request().url().endsWith('/v1/login')) return route.continue();
      const { authorization } = route.request().headers();
      keys.push(authorization);
      if (authorization === 'Bearer right') return route.continue();
      return route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"detail":"Who are you?"}' });
    });
    await page.goto(consoles.url);
    const key = page.getByLabel('API key');
    await key.fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'did not accept the key' }).waitFor();
    expect(await breachesInBothThemes(page)).toEqual([]);
    await key.fill('right');
    await page.keyboard.press('Enter');
    await page.locator('.feed-row').first().waitFor();
    expect(keys).toContain('Bearer wrong');
    await page.close();
  });
});

describe('keys alone', () => {
  const focused = (page: Page) => page.evaluate<string>("document.activeElement?.id ?? ''");

  it('lead through the alerts', async () => {
    const page = await consoles.page();
    await open(page, 'alerts', '.feed-row');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Skip to content');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('main');
    await page.keyboard.press('j');
    await page.waitForFunction("document.activeElement.id.startsWith('alert-')");
    const first = await focused(page);
    await page.keyboard.press('j');
    await page.waitForFunction(`document.activeElement.id !== '${first}'`);
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).not.toBe('none');
    await page.keyboard.press('Enter');
    await page.locator('.alert-head h1').waitFor();
    await page.keyboard.press('u');
    await page.locator('.feed-row').first().waitFor();
    await page.close();
  });

  it('find a pattern, and leave its editor', async () => {
    const page = await consoles.page();
    await open(page, 'alerts', '.feed-row');
    await page.keyboard.press('ControlOrMeta+k');
    await page.getByRole('combobox', { name: 'Find an alert' }).waitFor();
    await page.keyboard.type('card-testing');
    await page
      .getByRole('option', { name: /card-testing/ })
      .first()
      .waitFor();
    await page.keyboard.press('Enter');
    const editor = page.getByRole('textbox', { name: 'The rule, in YAML' });
    await editor.focus();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement.classList.contains('editor-host')")).toBe(false);
    await page.locator('main').focus();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'System' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor({ state: 'detached' });
    await page.close();
  });
});
