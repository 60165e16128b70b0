import { BranchEntity } from "./branch.entity";
import { CameraEventRequestEntity } from "./camera-event-request.entity";
import { CameraEventEntity } from "./camera-event.entity";
import { CameraKeyEntity } from "./camera-key.entity";
import { CameraEntity } from "./camera.entity";
import { CartRow } from "./cart.entity";
import { FlashSaleRow } from "./flash-sale.entity";
import { ItemPairEntity } from "./item-pair.entity";
import { LegalEntityEntity } from "./legal-entity.entity";
import { LoginAttemptEntity } from "./login-attempt.entity";
import { MenuDraftRow } from "./menu-draft.entity";
import { MenuHeadRow } from "./menu-head.entity";
import { MenuItemRow } from "./menu-item.entity";
import { MenuVersionRow } from "./menu-version.entity";
import { OfferUseEntity } from "./offer-use.entity";
import { OpenBasketEntity } from "./open-basket.entity";
import { OrderItemEntity } from "./order-item.entity";
import { OrderEntity } from "./order.entity";
import { PostViewCountRow } from "./post-view-count.entity";
import { PostViewDayRow } from "./post-view-day.entity";
import { PostViewInboxRow } from "./post-view-inbox.entity";
import { PostViewRow } from "./post-view.entity";
import { PostRow } from "./post.entity";
import { ProfileRow } from "./profile.entity";
import { PromoCodeRow } from "./promo-code.entity";
import { QuotaHoldEntity } from "./quota-hold.entity";
import { RefreshTokenEntity } from "./refresh-token.entity";
import { ReplicaHeartbeatRow } from "./replica-heartbeat.entity";
import { ReviewVoteEntity } from "./review-vote.entity";
import { ReviewEntity } from "./review.entity";
import { SessionEntity } from "./session.entity";
import { SlotEntity } from "./slot.entity";
import { UserEntity } from "./user.entity";

/** Every entity, for the data source. */
export const entities = [
  BranchEntity,
  CameraEventRequestEntity,
  CameraEventEntity,
  CameraKeyEntity,
  CameraEntity,
  CartRow,
  FlashSaleRow,
  ItemPairEntity,
  LegalEntityEntity,
  LoginAttemptEntity,
  MenuDraftRow,
  MenuHeadRow,
  MenuItemRow,
  MenuVersionRow,
  OfferUseEntity,
  OpenBasketEntity,
  OrderItemEntity,
  OrderEntity,
  PostViewCountRow,
  PostViewDayRow,
  PostViewInboxRow,
  PostViewRow,
  PostRow,
  ProfileRow,
  PromoCodeRow,
  QuotaHoldEntity,
  RefreshTokenEntity,
  ReplicaHeartbeatRow,
  ReviewVoteEntity,
  ReviewEntity,
  SessionEntity,
  SlotEntity,
  UserEntity,
];
