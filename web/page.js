import { startBoard } from "./board.js";
import { startShop } from "./shop.js";
import { switchLanguage, writeStaticTexts } from "./text.js";

writeStaticTexts();
const shop = startShop();
const board = startBoard();
document.getElementById("language").addEventListener("click", () => {
  switchLanguage();
  writeStaticTexts();
  shop.draw();
  board.draw();
});
