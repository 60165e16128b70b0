import { Column, Entity, PrimaryColumn } from "typeorm";

/** Somebody found a review helpful. */
@Entity({ name: "review_votes" })
export class ReviewVoteEntity {
  @PrimaryColumn({ type: "uuid" }) review_id!: string;
  @PrimaryColumn({ type: "uuid" }) user_id!: string;
  @Column({ type: "timestamptz" }) voted_at!: Date;
}
