/** Events of a post (stream `post-<post_id>`). */

interface LocalizedText {
  readonly ru: string;
  readonly en: string;
}

export type PostStatus = "draft" | "published" | "archived";

/** A post as it is kept; times are RFC 3339 UTC. */
export interface Post {
  readonly post_id: string;
  readonly author_id: string | null;
  readonly title: LocalizedText;
  readonly body: LocalizedText;
  /** URL or absolute path. */
  readonly image: string | null;
  readonly status: PostStatus;
  /** When it was published for the first time. */
  readonly published_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export type PostEvent =
  | { readonly type: "post.created"; readonly data: { readonly post: Post } }
  | { readonly type: "post.changed"; readonly data: { readonly post: Post } }
  | { readonly type: "post.deleted"; readonly data: { readonly post_id: string } };

export const postStream = (post_id: string): string => `post-${post_id}`;
