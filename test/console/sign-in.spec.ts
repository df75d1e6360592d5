/** Signing in on the provider's own page, and out of it, in a real browser with a real provider. */
import { jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { breachesInBothThemes, Consoles, PHONE } from './kit/console.js';
import { AUDIENCE, CLIENT, SignInPages } from './kit/provider.js';

let provider: SignInPages;
let consoles: Consoles;
beforeAll(async () => {
  // The provider warns that it is not set up for production.
  for (const say of ['warn', 'info'] as const) jest.spyOn(console, say).mockImplementation(() => undefined);
  provider = await SignInPages.start();
  consoles = await Consoles.start({
    STAKEOUT_ACCESS_OIDC_ISSUER: provider.issuer,
    STAKEOUT_ACCESS_OIDC_CLIENT_ID: CLIENT,
    STAKEOUT_ACCESS_OIDC_AUDIENCE: AUDIENCE,
    STAKEOUT_ACCESS_OIDC_RESOURCE: AUDIENCE,
  });
  await provider.serve(consoles.url);
});
afterAll(async () => {
  await consoles?.stop();
  await provider?.stop();
});

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Continue with 127.0.0.1' }).click();
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
}
const stored = (page: Page) =>
  page.evaluate<{ accessToken: string }>("JSON.parse(sessionStorage.getItem('stakeout.session'))");

describe('signing in with an OpenID provider', () => {
  it('leads to its page and back to where one was, and out again', async () => {
    const page = await consoles.page();
    await page.goto(`${consoles.url}/#/patterns`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await breachesInBothThemes(page)).toEqual([]);
    expect(await page.getByLabel('API key').count()).toBe(0);
    await signIn(page, 'ann');
    await page.getByRole('heading', { name: 'Patterns' }).waitFor();
    await page.locator('.account', { hasText: 'ann analyst' }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    await page.locator('.table tbody tr').first().waitFor();
    // The token comes to its end: another one is asked for before anything is.
    const before = await stored(page);
    await page.evaluate(
      `sessionStorage.setItem('stakeout.session', JSON.stringify({ ...${JSON.stringify(before)}, expiresAt: 0 }))`,
    );
    await page.reload();
    await page.locator('.table tbody tr').first().waitFor();
    expect((await stored(page)).accessToken).not.toBe(before.accessToken);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: /^Yes/ }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate("sessionStorage.getItem('stakeout.session')")).toBe(null);
    await page.close();
  });

  it('has room on a phone', async () => {
    const page = await consoles.page({ viewport: PHONE, hasTouch: true });
    await page.goto(consoles.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await breachesInBothThemes(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    await page.close();
  });

  it('tells those who have no role here and those who turned back, who may come as someone else', async () => {
    const page = await consoles.page();
    await page.goto(consoles.url);
    await signIn(page, 'bob');
    await page.getByRole('alert').filter({ hasText: 'no role for your account' }).waitFor();
    expect(await breachesInBothThemes(page)).toEqual([]);
    await page.getByRole('button', { name: 'Continue with 127.0.0.1' }).click();
    await page.getByRole('link', { name: /Cancel/ }).click();
    await page.getByRole('alert').filter({ hasText: 'You could not be signed in' }).waitFor();
    await signIn(page, 'ann');
    await page.locator('.feed-row').first().waitFor();
    await page.close();
  });

  it('needs nothing that the content security policy keeps out', () => {
    expect(consoles.complaints).toEqual([]);
  });
});
