import { Chain } from "../support/chain";
import { FornoUnderTest } from "../support/forno";

interface Post {
  readonly post_id: string;
  readonly views_count: number;
}
interface Posts {
  readonly items: readonly Post[];
}

describe("posts and their views, over REST", () => {
  let forno: FornoUnderTest;
  let chain: Chain;
  let post_id: string;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    chain = await Chain.of(forno);
    const { body } = await forno.ask<Posts>("GET", "/posts");
    expect(body.items).toHaveLength(5);
    post_id = body.items[0]?.post_id ?? "";
  });
  afterAll(() => forno.remove());

  const view = (token?: string, id = post_id) =>
    forno.ask("POST", "/posts/view", { body: { post_id: id }, token });

  it("a view counts once for each who is signed in, and not for who is not", async () => {
    const [anna, boris] = [await chain.account("customer"), await chain.account("customer")];
    expect(await view()).toMatchObject({ status: 401, body: { code: "auth.required" } });
    expect(await view(anna)).toMatchObject({ status: 200, body: { views_count: 1 } });
    expect(await view(boris)).toMatchObject({ status: 200, body: { views_count: 2 } });
    expect((await view(anna)).body).toEqual({ message: expect.any(String) as string, views_count: 2 });
    expect((await forno.ask<Post>("GET", `/posts/${post_id}`)).body.views_count).toBe(2);
    const unknown = "01990000-0000-7000-8000-00000000dead";
    expect(await view(anna, unknown)).toMatchObject({ status: 404, body: { code: "post.unknown" } });
    const batch = await forno.ask("POST", "/posts/views-batch", {
      body: { post_ids: [post_id, unknown] },
      token: anna,
    });
    expect(batch).toMatchObject({
      status: 200,
      body: { processed_count: 1, post_ids: [post_id], unknown_post_ids: [unknown] },
    });
  });

  it("what the author looks at does not count", async () => {
    const text = { ru: "Новое", en: "News" };
    const { body } = await chain.desk<{ post: Post }>("POST", "/posts", {
      ...{ title: text, body: text, status: "published" },
    });
    expect(await view(chain.admin, body.post.post_id)).toMatchObject({
      status: 200,
      body: { views_count: 0 },
    });
    await chain.desk("DELETE", `/posts/${body.post.post_id}`);
    expect((await forno.ask("GET", `/posts/${body.post.post_id}`)).status).toBe(404);
  });

  it("only a super admin synchronises, and staff sees the days", async () => {
    const cook = await chain.account("cook", [await chain.openBranch()]);
    expect((await forno.ask("POST", "/posts/sync-views", { body: {}, token: cook })).status).toBe(403);
    expect(
      (await chain.desk<{ synced_posts: number }>("POST", "/posts/sync-views", {})).body.synced_posts,
    ).toBe(1);
    const { body } = await forno.ask("GET", `/posts/${post_id}/views`, { token: cook });
    expect(body).toMatchObject({ views_count: 2, days: [{ views: 2 }] });
    const top = await forno.ask<Posts>("GET", "/posts/top?window=day");
    expect(top.body.items).toMatchObject([{ post_id, views: 2, views_count: 2 }]);
  });

  it("a view that was answered is there after kill -9, and its viewer still counts once", async () => {
    const viewers = await Promise.all(Array.from({ length: 3 }, () => chain.account("customer")));
    await Promise.all(viewers.map((token) => view(token)));
    await forno.end("SIGKILL");
    await forno.start();
    for (const token of viewers) expect((await view(token)).body).toMatchObject({ views_count: 5 });
  });
});
