import type { PersonalRecords } from "./mixins/erasure/personal-records";
import type { PersonalData } from "./mixins/event-log/personal-data";
import { accountRecords } from "./services/auth/account.personal";
import { cartRecords } from "./services/cart/cart.personal";
import { orderPersonalData } from "./services/order/order.events";
import { orderRecords } from "./services/order/order.personal";
import { profileRecords } from "./services/profile/profile.personal";
import { reviewRecords, voteRecords } from "./services/shop/review.personal";
import { viewRecords } from "./services/views/views.personal";

/** What of all events is personal: given to the log, which seals it. What is not listed here is no text about a person. */
export const PERSONAL_DATA: readonly PersonalData[] = [...orderPersonalData];

/** What all rooms keep of persons beside the log: exported and forgotten from here, in this order. */
export const PERSONAL_RECORDS: readonly PersonalRecords[] = [
  accountRecords,
  profileRecords,
  reviewRecords,
  voteRecords,
  viewRecords,
  cartRecords,
  orderRecords,
];
