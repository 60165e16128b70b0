/** Every word of the page, in both languages. */
const TEXT = {
  ru: {
    tagline: "Заказ слева — кухня справа.",
    health: "Состояние",
    shop: "Меню",
    cart: "Заказ",
    empty: "Выберите пиццу — она появится здесь.",
    branch: "Пиццерия",
    time: "К какому времени",
    soonest: "Как можно скорее",
    fulfilment: "Получение",
    pickup: "Самовывоз",
    delivery: "Доставка",
    address: "Адрес",
    name: "Имя",
    phone: "Телефон",
    place: "Заказать",
    accepted: "Заказ {id} принят",
    readyAt: "Будет готов к {time}",
    track: "Статус",
    unknownOrder: "Заказа с такой ссылкой нет.",
    sale: "Акция",
    soldOut: "Нет",
    kitchen: "Кухня",
    signInHint: "Доска живая. Войдите с паролем администратора, который Forno напечатал при первом запуске.",
    username: "Логин",
    password: "Пароль",
    signIn: "Войти",
    live: "на связи",
    offline: "связь потеряна, соединяюсь…",
    connecting: "соединяюсь…",
    nothing: "пусто",
    visibleAt: "на кухню в {time}",
    due: "к {time}",
    cancel: "Отменить",
    cancelReason: "Отменён на доске",
    network: "Сервер не отвечает. Повторите: заказ не будет сделан дважды.",
    pending: "Новые",
    preparing: "Готовим",
    cooking: "В печи",
    ready: "Готовы",
    inDelivery: "В пути",
    "→preparing": "Начать",
    "→cooking": "В печь",
    "→ready": "Готов",
    "→delivery": "Курьеру",
    "→delivered": "Выдан",
    "status:pending": "принят",
    "status:preparing": "готовится",
    "status:cooking": "в печи",
    "status:ready": "готов",
    "status:delivery": "в пути",
    "status:delivered": "выдан",
    "status:cancelled": "отменён",
  },
  en: {
    tagline: "Order on the left, kitchen on the right.",
    health: "Health",
    shop: "Menu",
    cart: "Order",
    empty: "Pick a pizza and it appears here.",
    branch: "Pizzeria",
    time: "For when",
    soonest: "As soon as possible",
    fulfilment: "How",
    pickup: "Pickup",
    delivery: "Delivery",
    address: "Address",
    name: "Name",
    phone: "Phone",
    place: "Place order",
    accepted: "Order {id} accepted",
    readyAt: "Ready by {time}",
    track: "Status",
    unknownOrder: "There is no order with this link.",
    sale: "Sale",
    soldOut: "Sold out",
    kitchen: "Kitchen",
    signInHint: "The board is live. Sign in with the admin password that Forno printed at its first start.",
    username: "Username",
    password: "Password",
    signIn: "Sign in",
    live: "live",
    offline: "connection lost, reconnecting…",
    connecting: "connecting…",
    nothing: "nothing here",
    visibleAt: "to the kitchen at {time}",
    due: "due {time}",
    cancel: "Cancel",
    cancelReason: "Cancelled on the board",
    network: "The server does not answer. Try again: the order will not be placed twice.",
    pending: "New",
    preparing: "Preparing",
    cooking: "In the oven",
    ready: "Ready",
    inDelivery: "On the way",
    "→preparing": "Start",
    "→cooking": "To the oven",
    "→ready": "Ready",
    "→delivery": "To courier",
    "→delivered": "Handed over",
    "status:pending": "accepted",
    "status:preparing": "being prepared",
    "status:cooking": "in the oven",
    "status:ready": "ready",
    "status:delivery": "on the way",
    "status:delivered": "handed over",
    "status:cancelled": "cancelled",
  },
};

let language = localStorage.getItem("language") ?? (navigator.language.startsWith("ru") ? "ru" : "en");

/** `ru` or `en`. */
export const currentLanguage = () => language;

export function switchLanguage() {
  language = language === "ru" ? "en" : "ru";
  localStorage.setItem("language", language);
}

/** The text of a key, with `{name}` filled in. */
export function text(key, values = {}) {
  return (TEXT[language][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** A name that comes in both languages. */
export const localized = (name) => name[language] ?? name.ru;

export function money(minor, currency) {
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: minor % 100 === 0 ? 0 : 2,
  }).format(minor / 100);
}

/** Time of day at the branch. */
export function clock(timestamp, timeZone) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", timeZone }).format(
    new Date(timestamp),
  );
}

/** Writes every static text of the page anew. */
export function writeStaticTexts() {
  document.documentElement.lang = language;
  document.getElementById("language").textContent = language === "ru" ? "EN" : "RU";
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = text(element.dataset.text);
}
