import type { Page } from "playwright-core";
import { hasBrowser, openBrowser, type Browser } from "../support/browser";
import { Chain } from "../support/chain";
import { ADMIN_PASSWORD, FornoUnderTest } from "../support/forno";

(hasBrowser ? describe : describe.skip)("the first page, in a browser", () => {
  let forno: FornoUnderTest;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    browser = await openBrowser();
    page = browser.page;
    await page.goto(`${forno.url}/`);
  });

  afterAll(async () => {
    await browser.close();
    await forno.remove();
  });

  it("shows the seeded menu in both languages", async () => {
    await page.getByRole("button", { name: "+ Pepperoni" }).waitFor();
    expect(await page.locator(".dish").count()).toBe(12);
    await page.locator("#language").click();
    await page.getByRole("button", { name: "+ Английский завтрак" }).waitFor();
    await page.locator("#language").click();
  });

  it("lets the desk in with the admin password", async () => {
    await page.locator("#password").fill(ADMIN_PASSWORD);
    await page.locator("#sign-in button").click();
    await page.locator("#link-state.live").waitFor();
  });

  it("brings an order from the counter to the board beside it, live", async () => {
    await page.getByRole("button", { name: "+ Margherita" }).click();
    await page.locator("#place").click();
    await page.locator(".placed").first().waitFor();
    await page.locator(".ticket").first().waitFor();
    expect(await page.locator(".ticket").first().textContent()).toContain("1 × Margherita");
  });

  it("steps it through its states, and the customer's side follows", async () => {
    for (const step of ["Start", "To the oven", "Ready", "Handed over"])
      await page.locator(".ticket .step", { hasText: step }).click();
    await page.locator(".placed", { hasText: "handed over" }).waitFor();
    expect(await page.locator(".ticket").count()).toBe(0);
  });

  it("tracks an order under its link", async () => {
    const chain = await Chain.of(forno);
    const order = await chain.placed(chain.wish());
    await page.goto(forno.url + order.track_url);
    await page.getByText(order.display_id).first().waitFor();
  });

  it("shows every operation to try at /api/docs", async () => {
    await page.goto(`${forno.url}/api/docs`);
    await page.locator(".opblock-tag", { hasText: "order" }).first().click();
    await page.locator(".opblock", { hasText: "/api/v1/order" }).first().waitFor();
  });

  it("raises no error in the browser and asks no other server for anything", () => {
    expect(browser.complaints).toEqual([]);
    expect(browser.requests.filter((url) => !url.startsWith(forno.url) && !url.startsWith("data:"))).toEqual(
      [],
    );
    expect(browser.requests.length).toBeGreaterThan(10);
  });
});
