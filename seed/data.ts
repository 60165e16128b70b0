import type { ParamsOf } from "../mixins/contract/contract";
import { derivedUuid } from "../mixins/derived-id";
import type { AccountDraft } from "../services/auth/accounts";
import type { openBranch } from "../services/branch/branch.contract";
import type { createCamera } from "../services/camera/camera.contract";
import type { createLegalEntity } from "../services/branch/legal-entity.contract";
import { everyDay } from "../services/branch/new-branch";
import type { FirstReview } from "../services/shop/review.seed";

/** The small chain of a first start. Every id is derived from a name: the same in each chain and at each start. */
const idOf = (name: string): string => derivedUuid(`seed ${name}`);
const roubles = (amount: number): number => amount * 100;

type NewBranch = ParamsOf<typeof openBranch>;

export const LEGAL_ENTITY = {
  legal_entity_id: idOf("legal entity"),
  name: "ООО «Форно»",
  inn: "2460000003",
} as const satisfies ParamsOf<typeof createLegalEntity>;

/** Takes the orders that name no branch. */
const MOSCOW: NewBranch = {
  branch_id: idOf("branch M"),
  code: "M",
  name: { ru: "Форно на Тверской", en: "Forno Tverskaya" },
  address: { ru: "Москва, ул. Тверская, 12", en: "12 Tverskaya St, Moscow" },
  phone: "+74950000012",
  time_zone: "Europe/Moscow",
  delivery_fee_minor: roubles(199),
  free_delivery_from_minor: roubles(1500),
  is_default: true,
  legal_entity_id: LEGAL_ENTITY.legal_entity_id,
  slots: { hours: everyDay({ open: "00:00", close: "24:00" }) },
};

const KRASNOYARSK: NewBranch = {
  branch_id: idOf("branch K"),
  code: "K",
  name: { ru: "Форно на Мира", en: "Forno Mira" },
  address: { ru: "Красноярск, пр. Мира, 80", en: "80 Mira Ave, Krasnoyarsk" },
  phone: "+73910000080",
  time_zone: "Asia/Krasnoyarsk",
  delivery_fee_minor: roubles(149),
  free_delivery_from_minor: roubles(1500),
  is_default: false,
  legal_entity_id: LEGAL_ENTITY.legal_entity_id,
  slots: { hours: everyDay({ open: "09:45", close: "23:45" }) },
};

/** The default branch first: it is the default from the first event on. */
export const BRANCHES: readonly NewBranch[] = [MOSCOW, KRASNOYARSK];

type NewCamera = ParamsOf<typeof createCamera>;

const camera = (
  mac_address: string,
  model: string,
  name: string,
  branch: "M" | "K",
  settings: NewCamera["settings"] = {},
): NewCamera => ({
  ...{ mac_address, model, name, settings, branch_id: idOf(`branch ${branch}`) },
  complex_id: branch === "M" ? "tverskaya-12" : "mira-80",
});

/** Addresses with the bit of those that nobody has bought: no device in the world has them. */
export const CAMERAS: readonly NewCamera[] = [
  camera("02:46:4F:00:00:01", "Hikvision DS-2CD2143G2-I", "Вход", "M", { sensitivity: 60 }),
  camera("02:46:4F:00:00:02", "Hikvision DS-2CD2143G2-I", "Кухня", "M", { sensitivity: 40 }),
  camera("02:46:4F:00:00:03", "Dahua IPC-HDBW2431E-S", "Склад", "M", { zones: ["стеллажи", "холодильник"] }),
  camera("02:46:4F:00:00:04", "Dahua IPC-HDBW2431E-S", "Вход", "K", { sensitivity: 60 }),
  camera("02:46:4F:00:00:05", "Hikvision DS-2CD2T47G2-L", "Двор", "K", { night: true }),
  camera("02:46:4F:00:00:06", "Generic ONVIF", "Касса", "K"),
];

type Person = Omit<AccountDraft, "password_hash"> & { readonly email: string };

const person = (
  email: string,
  name: string,
  role: Person["role"],
  branches: readonly string[] | null,
): Person => ({
  user_id: idOf(`user ${email}`),
  email,
  name,
  role,
  branch_ids: branches,
});

const moscow = [idOf("branch M")];
const krasnoyarsk = [idOf("branch K")];

export const CUSTOMERS: readonly Person[] = [
  { ...person("anna@example.com", "Анна Смирнова", "customer", null), phone: "+79230000001" },
  { ...person("boris@example.com", "Борис Ким", "customer", null), phone: "+79230000002" },
  { ...person("vera@example.com", "Вера Орлова", "customer", null), phone: "+79160000003" },
];

const said = (
  by: 0 | 1 | 2,
  days_ago: number,
  dish: string,
  rating: FirstReview["rating"],
  text: string,
): FirstReview => ({ user_id: idOf(`user ${CUSTOMERS[by]?.email ?? ""}`), dish, rating, text, days_ago });

/** What the customers said before there was a shop to say it in. */
export const REVIEWS: readonly FirstReview[] = [
  said(0, 21, "Пепперони", 5, "Тонкое тесто, много сыра, колбаски не пожалели. Беру каждую пятницу."),
  said(0, 9, "Маргарита", 4, "Простая и честная. Базилика хотелось бы побольше."),
  said(0, 3, "Семейный", 5, "Хватило на четверых, и ещё осталось на завтрак."),
  said(1, 17, "Мясная", 5, "Сытная: двух кусков хватает до вечера."),
  said(1, 12, "Солянка Злодейская", 4, "Остро! Солёные огурцы на пицце — смело, но работает."),
  said(1, 2, "Пепперони", 4, "Привезли горячей, минут на пять позже обещанного."),
  said(2, 15, "Курица и Грибы", 5, "Нежная, грибы свежие, не из банки."),
  said(2, 6, "Английский завтрак", 3, "Яйцо пережарили, в остальном хорошо."),
  said(2, 1, "New York", 5, "Как в Бруклине, только ближе."),
];

/** Nobody can sign in before a super admin has set a password. The addresses are reserved for examples: no mail arrives. */
export const PEOPLE: readonly Person[] = [
  ...CUSTOMERS,
  person("manager.moscow@forno.example", "Мария Волкова", "manager", moscow),
  person("manager.krasnoyarsk@forno.example", "Олег Сидоров", "manager", krasnoyarsk),
  person("technologist@forno.example", "Тимур Гареев", "technologist", null),
  person("cook.moscow@forno.example", "Пётр Лебедев", "cook", moscow),
  person("cook.krasnoyarsk@forno.example", "Ольга Иванова", "cook", krasnoyarsk),
  person("courier.moscow@forno.example", "Руслан Алиев", "courier", moscow),
  person("courier.krasnoyarsk@forno.example", "Денис Кузнецов", "courier", krasnoyarsk),
];
