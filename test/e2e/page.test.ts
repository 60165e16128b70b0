import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { ADMIN_PASSWORD, FornoUnderTest } from "../support/forno";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) => existsSync(file));
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

if (CHROMIUM === undefined) console.warn("SKIPPED: the page is not tested, there is no Chromium (Debian: apt-get install chromium).");

(CHROMIUM === undefined ? describe.skip : describe)("the first page, in a browser", () => {
  let forno: FornoUnderTest;
  let browser: BrowserContext;
  let page: Page;
  const profile = mkdtempSync(path.join(tmpdir(), "forno-chromium-"));
  const complaints: string[] = [];

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM ?? "",
      args: QUIET,
      headless: true,
      locale: "en-GB",
      viewport: { width: 1440, height: 1000 },
    });
    page = await browser.newPage();
    page.on("console", (line) => {
      if (line.type() === "error") complaints.push(line.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${forno.url}/`);
  });

  afterAll(async () => {
    await browser.close();
    await forno.remove();
    rmSync(profile, { recursive: true, force: true });
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

  it("raises no error in the browser", () => {
    expect(complaints).toEqual([]);
  });
});
