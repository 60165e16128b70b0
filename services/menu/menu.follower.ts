import { UnavailableError } from "../../mixins/contract/refusal";
import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { assertKnownPosition } from "../../mixins/event-log/known-position";
import type { Runtime } from "../../mixins/runtime";
import { boardOf, EMPTY_MENU, isSoldOut, withOffers, withUses, type MenuBoard } from "./menu.board";
import { PublicDocuments, type ReadyDocuments } from "./menu.documents";
import { readPromos, readSales } from "./menu.offer-store";
import { readUses, usesIn } from "./menu.offer-uses";
import { readDocumentNewer } from "./menu.store";

/** Whatever else fails, a node is never further behind than this. */
const REREAD_MS = 5 * 60_000;
/** How long `?after=` waits before it says that this node is behind. */
const REACH_TIMEOUT_MS = 5_000;

type Needs = Pick<Runtime, "log" | "feed" | "clock" | "pool">;
interface Complaints {
  error(message: string): void;
}

/**
 * Keeps this node's board at the newest menu: reads it at start, follows the log, and reads again every five minutes in
 * case it was not told. Readers take `board` and keep it as long as they like.
 *
 * Reads run one after another, so that an older one never overwrites a newer one; a version only ever goes up.
 */
export class MenuFollower {
  #board: MenuBoard = boardOf(EMPTY_MENU);
  #reading: Promise<void> = Promise.resolve();
  #feed: FeedHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hinted = false;
  /** Waits until the table of uses has come to a position. */
  #counted: (position: Position) => Promise<void> = () => Promise.resolve();
  readonly #documents = new PublicDocuments();

  /** `onSoldOut` hears when the last unit of a sale was sold, or one given back. */
  constructor(
    private readonly needs: Needs,
    private readonly complaints: Complaints,
    private readonly onSoldOut: () => void = () => undefined,
  ) {}

  /** The menu as this node knows it. */
  get board(): MenuBoard {
    return this.#board;
  }

  /** The public documents at this moment's prices. */
  get ready(): ReadyDocuments {
    return this.#documents.at(this.#board, this.needs.clock.now());
  }

  /** Everything up to here is in the board. */
  get position(): Position {
    return this.#feed?.position ?? 0;
  }

  /**
   * Resolves with the menu in hand; rejects when the database does not give it. `counted` waits until the table of uses has
   * come to a position: what it has by then is read, what comes later is heard.
   */
  async start(counted: (position: Position) => Promise<void>): Promise<void> {
    this.#counted = counted;
    const after = await this.needs.log.head();
    await counted(after);
    await this.refresh();
    this.#feed = this.needs.feed.subscribe({
      name: "menu:board",
      after,
      onBatch: (events) => this.#follow(events),
      wentBack: () => this.#readAnew(),
    });
    this.#timer = setInterval(() => {
      this.refresh().catch((error: unknown) => {
        this.complaints.error(`The menu was not read again: ${String(error)}`);
      });
    }, REREAD_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#feed?.stop();
    await this.#reading.catch(() => undefined);
  }

  /** Reads the version in force and the offers from the database, and puts them up. */
  refresh(): Promise<void> {
    return this.#next(() => this.#readAll());
  }

  /**
   * Another node says that it has changed the menu, which may be sooner than this node's feed brings it. One reading serves
   * all hints that come before it begins. Never rejects: what a hint does not bring, the log does.
   */
  async hinted(): Promise<void> {
    if (this.#hinted) return;
    this.#hinted = true;
    await this.#next(async () => {
      this.#hinted = false;
      await this.#readAll();
    }).catch((error: unknown) => {
      this.complaints.error(`The changed menu was not read at once: ${String(error)}`);
    });
  }

  /** Waits until the board shows a write's position. @throws UnavailableError `menu.behind`, RefusedError `input.position_unknown`. */
  async reached(position: Position | undefined): Promise<void> {
    if (position === undefined || position <= this.position) return;
    await assertKnownPosition(this.needs.log, position);
    try {
      await this.#feed?.reached(position, REACH_TIMEOUT_MS);
    } catch (cause) {
      throw new UnavailableError(
        "menu.behind",
        `This node's menu has not reached position ${String(position)} yet.`,
        { cause },
      );
    }
  }

  /** Versions and uses may be smaller than those known. What is shown meanwhile stays whole. */
  async #readAnew(): Promise<Position> {
    const after = await this.needs.log.head();
    await this.#counted(after);
    await this.#next(async () => {
      const { pool, clock } = this.needs;
      const document = await readDocumentNewer(pool, EMPTY_MENU.version);
      const sales = await readSales(pool, new Date(clock.now()));
      const promos = await readPromos(pool);
      const uses = await readUses(pool);
      this.#board = withUses(withOffers(boardOf(document ?? EMPTY_MENU), sales, promos), uses);
    });
    this.onSoldOut();
    return after;
  }

  async #readAll(): Promise<void> {
    await this.#readDocument();
    await this.#readOffers();
  }

  async #follow(events: readonly RecordedEvent[]): Promise<void> {
    this.#learnUses(events);
    const types = new Set(events.map(({ type }) => type));
    if (types.has("menu.published")) await this.#next(() => this.#readDocument());
    if (types.has("menu.sale_changed") || types.has("menu.promo_changed"))
      await this.#next(() => this.#readOffers());
  }

  /** Events say how often an offer is used by then, so nothing needs to be read. */
  #learnUses(events: readonly RecordedEvent[]): void {
    const uses = usesIn(events);
    if (uses.length === 0) return;
    const before = this.#board;
    this.#board = withUses(before, uses);
    if (uses.some(({ offer_id }) => isSoldOut(before, offer_id) !== isSoldOut(this.#board, offer_id)))
      this.onSoldOut();
  }

  #next(read: () => Promise<void>): Promise<void> {
    this.#reading = this.#reading.catch(() => undefined).then(read);
    return this.#reading;
  }

  async #readDocument(): Promise<void> {
    const document = await readDocumentNewer(this.needs.pool, this.#board.document.version);
    if (document !== undefined) this.#board = boardOf(document, this.#board);
  }

  async #readOffers(): Promise<void> {
    const sales = await readSales(this.needs.pool, new Date(this.needs.clock.now()));
    const promos = await readPromos(this.needs.pool);
    const uses = await readUses(this.needs.pool);
    this.#board = withUses(withOffers(this.#board, sales, promos), uses);
  }
}
