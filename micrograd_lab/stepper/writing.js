// How numbers, names and formulas are written: as in tell/notation.py and tell/languages.py.
const MINUS = /-/g;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// A number to three significant digits, with a true minus sign; trailing zeros unless it is whole.
function number(x, digits = 3) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "∞" : "−∞";
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x).replace(MINUS, "−");
  const [mantissa, exponent] = rounded(x, digits - 1).split("e");
  const raised = [...exponent.replace("+", "")].map((c) => (c === "-" ? "⁻" : SUPERSCRIPTS[c]));
  const power = `${mantissa}·10${raised.join("")}`.replace(MINUS, "−");
  if (Math.abs(exponent) > 9) return power; // the shorter one
  const places = Math.max(digits - 1 - exponent, 0);
  const plain = places ? Number(`${mantissa}e${exponent}`).toFixed(places) : whole(x);
  return power.length < plain.length ? power : plain.replace(MINUS, "−");
}

// x in powers of ten with so many decimals; a tie goes to the even digit, as in Python.
function rounded(x, decimals) {
  const longer = x.toExponential(decimals + 1);
  if (Number(longer) !== x || !longer.includes("5e")) return x.toExponential(decimals); // no tie
  const exact = x.toExponential(decimals + 20);
  const [digits, exponent] = exact.split("e");
  const end = digits.length - 20;
  if (!/^50*$/.test(digits.slice(end)) || digits[end - 1] % 2) return x.toExponential(decimals);
  return `${digits.slice(0, end)}e${exponent}`;
}

function whole(x) {
  const up = Math.round(x);
  return String(up - x === 0.5 && up % 2 ? up - 1 : up);
}

// A number as it was typed, if six digits are enough for that.
function asGiven(x) {
  const size = Math.abs(x);
  if (Object.is(x, -0)) return "−0";
  const short = size === 0 || (size >= 1e-4 && size < 1e6 && Number(x.toPrecision(6)) === x);
  return short ? String(x).replace(MINUS, "−") : number(x);
}

// The number in a typed text: 0.0728, −0,0728, 7.28·10⁻², 1/4; NaN if there is none, null if empty.
function parse(text) {
  const plain = text
    .replace(/\s/g, "")
    .replace(/[−–]/g, "-")
    .replace(",", ".")
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (sign) => SUPERSCRIPTS.indexOf(sign))
    .replace("⁻", "-")
    .replace(/[·×*]10\^?/, "e");
  if (plain === "") return null;
  const [top, bottom] = plain.split("/");
  return Number(top || NaN) / Number(bottom === "" ? NaN : (bottom ?? 1));
}

// A template of a formula with a text in place of each letter.  In it ⟦2x⟧ is the letter x, in
// brackets if its text binds more loosely than 2, ⟦2-x⟧ unless that begins with a minus; what is
// within ⟨ and ⟩ gets brackets if it begins with a minus.
function fill(template, letters) {
  const filled = template.replace(/⟦(\d)(-?)(\w+)⟧/g, (_, inside, leading, letter) => {
    const text = letters[letter];
    return binding(text) < inside && !(leading && /^[-−]/.test(text)) ? `(${text})` : text;
  });
  return innermost(filled);
}

function innermost(text) {
  const next = text.replace(/⟨([^⟨⟩]*)⟩/g, (_, part) => (/^[-−]/.test(part) ? `(${part})` : part));
  return next === text ? text : innermost(next);
}

// How tightly a text binds: −0.5, 7.6·10⁻⁹ and w² are not single terms.
function binding(text) {
  if (text.startsWith("(") && text.endsWith(")") && text.split("(").length === 2) return 9;
  if (/^[-−]/.test(text)) return 1;
  if (/[· ]/.test(text)) return 2;
  return /\^|<sup>/.test(text) ? 4 : 9;
}
