import { act } from "../../../../mixins/contract/implement";
import {
  changePost,
  createPost,
  deletePost,
  getPost,
  listPosts,
} from "../../../../services/views/post.contract";
import { seedPosts } from "../../../../services/views/post.seed";
import { SEED_POSTS } from "../../../../services/views/post.seed-data";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { AUTHOR, COOK, customer, GUEST, ViewsNode } from "./views-node";

let database: TestDatabase;
let node: ViewsNode;

beforeAll(async () => {
  database = await startTestDatabase();
  node = await ViewsNode.start(database);
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("truncate posts");
});

const UNKNOWN = "01990000-0000-7000-8000-00000000dead";
const content = { title: { ru: "Тесто", en: "Dough" }, body: { ru: "Двое суток", en: "Two days" } };
const listed = async (cursor?: string): Promise<{ ids: string[]; next: string | null }> => {
  const { items, next_cursor } = await node.ask(
    listPosts,
    { limit: 2, ...(cursor === undefined ? {} : { cursor }) },
    GUEST,
  );
  return { ids: items.map(({ post_id }) => post_id), next: next_cursor };
};

it("a post is a draft until it is published, and then everybody reads it", async () => {
  const { post } = await node.ask(createPost, { ...content, image: "/oven.jpg" }, AUTHOR);
  expect(post).toMatchObject({
    ...content,
    image: "/oven.jpg",
    status: "draft",
    author_id: AUTHOR.user_id,
    published_at: null,
  });
  const { post_id } = post;
  expect(await node.refusal(getPost, { post_id }, GUEST)).toBe("post.unknown");
  expect(await node.ask(getPost, { post_id }, AUTHOR)).toMatchObject({ status: "draft" });
  node.now += 60_000;
  const { post: published } = await node.ask(changePost, { post_id, status: "published" }, AUTHOR);
  expect(published.published_at).toBe(new Date(node.now).toISOString());
  expect(await node.ask(getPost, { post_id }, GUEST)).toEqual({ ...published, views_count: 0 });
});

it("a change keeps what it does not name, null for the image included, and the first time of publishing", async () => {
  const { post } = await node.ask(createPost, { ...content, image: "/a.jpg", status: "published" }, AUTHOR);
  const { post_id } = post;
  node.now += 60_000;
  const title = { ru: "Соус", en: "Sauce" };
  const { post: changed } = await node.ask(changePost, { post_id, title, image: null }, AUTHOR);
  expect(changed).toEqual({ ...post, title, image: null, updated_at: new Date(node.now).toISOString() });
  await node.ask(changePost, { post_id, status: "archived" }, AUTHOR);
  node.now += 60_000;
  const { post: again } = await node.ask(changePost, { post_id, status: "published" }, AUTHOR);
  expect(again.published_at).toBe(post.published_at);
});

it("the newest come first, page by page, whenever they were written", async () => {
  const early = await node.post({ status: "draft" });
  const posts: string[] = [];
  for (let at = 0; at < 4; at += 1) {
    node.now += 1_000;
    posts.unshift(await node.post());
  }
  node.now += 1_000;
  await node.ask(changePost, { post_id: early, status: "published" }, AUTHOR);
  const first = await listed();
  expect(first.ids).toEqual([early, posts[0]]);
  const second = await listed(first.next ?? "");
  expect(second.ids).toEqual([posts[1], posts[2]]);
  expect(await listed(second.next ?? "")).toEqual({ ids: [posts[3]], next: null });
  const drafts = await node.ask(listPosts, { status: "draft" }, AUTHOR);
  expect(drafts.items).toEqual([]);
});

it("posts of one moment are each on one page", async () => {
  const posts = await Promise.all(Array.from({ length: 5 }, () => node.post()));
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { ids, next } = await listed(cursor);
    seen.push(...ids);
    cursor = next;
  }
  expect(seen.toSorted()).toEqual(posts.toSorted());
});

it("every change is in the log, in the order of its stream", async () => {
  const post_id = await node.post({ status: "draft" });
  await Promise.all(
    [1, 2, 3].map((n) => node.ask(changePost, { post_id, title: { ru: String(n), en: String(n) } }, AUTHOR)),
  );
  await node.ask(deletePost, { post_id: post_id.toUpperCase() }, AUTHOR);
  const events = await node.runtime.log.readStream(`post-${post_id}`);
  expect(events.map(({ type, version, meta }) => [type, version, meta.actor])).toEqual([
    ["post.created", 1, AUTHOR.user_id],
    ["post.changed", 2, AUTHOR.user_id],
    ["post.changed", 3, AUTHOR.user_id],
    ["post.changed", 4, AUTHOR.user_id],
    ["post.deleted", 5, AUTHOR.user_id],
  ]);
  expect(await node.refusal(getPost, { post_id })).toBe("post.unknown");
});

it("the same command makes one post", async () => {
  const command = { id: "01990000-0000-4000-8000-0000000000c1", fingerprint: "same" };
  const ask = () => act(node.runtime.broker, createPost, content, { meta: { caller: AUTHOR, command } });
  const first = await ask();
  expect(await ask()).toEqual(first);
  expect((await node.ask(listPosts, { status: "draft" }, AUTHOR)).items).toHaveLength(1);
});

it("the first start brings five posts, once, and none where there are any", async () => {
  const identity = { id: "01990000-0000-4000-8000-0000000000c2", fingerprint: "seed" };
  await seedPosts(node.runtime, identity);
  await seedPosts(node.runtime, identity);
  await seedPosts(node.runtime, { ...identity, id: "01990000-0000-4000-8000-0000000000c3" });
  const { items } = await node.ask(listPosts, {}, GUEST);
  expect(items.map(({ title }) => title)).toEqual(SEED_POSTS.map(({ title }) => title).toReversed());
  expect(items).toHaveLength(5);
});

describe("is refused:", () => {
  it.each([
    ["a post by a cook", createPost, content, COOK, "auth.forbidden"],
    ["a post by a customer", createPost, content, customer(), "auth.forbidden"],
    ["a change by a guest", changePost, { post_id: UNKNOWN }, GUEST, "auth.required"],
    ["a change of what is not there", changePost, { post_id: UNKNOWN }, AUTHOR, "post.unknown"],
    ["the removal of what is not there", deletePost, { post_id: UNKNOWN }, AUTHOR, "post.unknown"],
    ["to read what is not there", getPost, { post_id: UNKNOWN }, GUEST, "post.unknown"],
    ["drafts, to a customer", listPosts, { status: "draft" }, customer(), "post.drafts_forbidden"],
    ["a cursor of somebody's own", listPosts, { cursor: "abc" }, GUEST, "input.cursor_malformed"],
    [
      "a cursor beyond all time",
      listPosts,
      { cursor: Buffer.from(`${"9".repeat(16)}.${UNKNOWN}`).toString("base64url") },
      GUEST,
      "input.cursor_malformed",
    ],
    ["a blank title", createPost, { ...content, title: { ru: " ", en: "x" } }, AUTHOR, "input.invalid"],
    [
      "an image that is a script",
      createPost,
      { ...content, image: "javascript:alert(1)" },
      AUTHOR,
      "input.invalid",
    ],
  ] as const)("%s", async (_, contract, params, caller, code) => {
    expect(await node.refusal(contract, params, caller)).toBe(code);
  });
});
