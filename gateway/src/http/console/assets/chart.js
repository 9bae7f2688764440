// A chart of a result: lines over a time or a number, bars over texts. It knows columns and rows as the page has them.
"use strict";

const Chart = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 960, HEIGHT = 320, LEFT = 70, RIGHT = 45, TOP = 30, BOTTOM = 45;
  const POINTS_MAX = 5000, BARS_MAX = 60, SERIES_MAX = 6;
  const NUMBERS = new Set(["int2", "int4", "int8", "float4", "float8", "numeric"]);
  const TIMES = new Set(["date", "timestamp", "timestamptz"]);

  const shape = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const number = text => text === null ? NaN : Number(text);
  // PostgreSQL writes `2026-01-01 00:00:00+00`.
  const time = text => {
    if (text === null) return NaN;
    let iso = text.replace(" ", "T");
    if (/[+-]\d\d$/.test(iso) && iso.includes("T")) iso += ":00";
    if (!iso.includes("T")) iso += "T00:00:00Z";
    else if (!/(Z|[+-]\d\d:\d\d)$/.test(iso)) iso += "Z";
    return Date.parse(iso);
  };

  // What can be drawn of the columns: `{x, ys, kind}`, or null.
  const plan = columns => {
    const places = test => columns.map((column, at) => test(column) ? at : -1).filter(at => at >= 0);
    const times = places(column => TIMES.has(column.type)), numbers = places(column => NUMBERS.has(column.type));
    if (times.length && numbers.length) return { x: times[0], ys: numbers.slice(0, SERIES_MAX), kind: "line" };
    const texts = places(column => ["text", "varchar", "bpchar", "name", "bool"].includes(column.type));
    if (texts.length && numbers.length) return { x: texts[0], ys: numbers.slice(0, SERIES_MAX), kind: "bar" };
    if (numbers.length > 1) return { x: numbers[0], ys: numbers.slice(1, 1 + SERIES_MAX), kind: "line" };
    return null;
  };

  const ticks = (low, high) => {
    if (!(high > low)) return [low];
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough) || rough;
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6 && found.length < 20; at += step) found.push(at);
    return found;
  };

  const short = value => {
    const size = Math.abs(value);
    if (size >= 1e9) return (value / 1e9).toPrecision(3) + "G";
    if (size >= 1e6) return (value / 1e6).toPrecision(3) + "M";
    if (size >= 1e4) return (value / 1e3).toPrecision(3) + "k";
    return String(Number(value.toPrecision(6)));
  };

  const moment = (value, span) => {
    const text = new Date(value).toISOString();
    return span > 3 * 864e5 ? text.slice(0, 10) : text.slice(5, 16).replace("T", " ");
  };

  const frame = (svg, low, high) => {
    const scale = value => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low || 1));
    for (const value of ticks(low, high)) {
      const y = scale(value);
      svg.append(shape("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: "axis" }));
      svg.append(shape("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, short(value)));
    }
    return scale;
  };

  const legend = (svg, names) => names.forEach((name, at) => {
    const x = LEFT + at * 145;
    svg.append(shape("rect", { x, y: 8, width: 10, height: 10, class: "s" + at }));
    svg.append(shape("text", { x: x + 15, y: 17 }, name.length > 18 ? name.slice(0, 17) + "…" : name));
  });

  const bounds = values => values.reduce(([low, high], value) =>
    Number.isFinite(value) ? [Math.min(low, value), Math.max(high, value)] : [low, high], [Infinity, -Infinity]);

  const lines = (svg, columns, rows, { x, ys }) => {
    const isTime = TIMES.has(columns[x].type), read = isTime ? time : number;
    const step = Math.ceil(rows.length / POINTS_MAX) || 1;
    const taken = rows.filter((_, at) => at % step === 0).map(row => ({ x: read(row[x]), row }))
      .filter(point => Number.isFinite(point.x)).sort((a, b) => a.x - b.x);
    const [first, last] = bounds(taken.map(point => point.x));
    const [low, high] = bounds(taken.flatMap(point => ys.map(y => number(point.row[y]))));
    if (!Number.isFinite(first) || !Number.isFinite(low)) return false;
    const across = value => LEFT + (WIDTH - LEFT - RIGHT) * (value - first) / (last - first || 1);
    const up = frame(svg, low, high);
    const marks = isTime ? [0, 1, 2, 3, 4].map(at => first + (last - first) * at / 4) : ticks(first, last);
    for (const value of marks) {
      const label = isTime ? moment(value, last - first) : short(value);
      svg.append(shape("text", { x: across(value), y: HEIGHT - BOTTOM + 20, "text-anchor": "middle" }, label));
    }
    ys.forEach((y, at) => {
      let path = "", isDown = false;
      for (const point of taken) {
        const value = number(point.row[y]);
        if (!Number.isFinite(value)) { isDown = false; continue; }
        path += (isDown ? "L" : "M") + across(point.x).toFixed(1) + " " + up(value).toFixed(1);
        isDown = true;
      }
      svg.append(shape("path", { d: path, class: "line s" + at, "data-series": columns[y].name }));
    });
    return true;
  };

  const bars = (svg, columns, rows, { x, ys }) => {
    const taken = rows.slice(0, BARS_MAX);
    const [least, most] = bounds(taken.flatMap(row => ys.map(y => number(row[y]))));
    if (!Number.isFinite(least)) return false;
    const up = frame(svg, Math.min(0, least), Math.max(0, most));
    const room = (WIDTH - LEFT - RIGHT) / taken.length, width = Math.max(1, room * .8 / ys.length);
    const every = Math.ceil(taken.length / 12);
    taken.forEach((row, place) => {
      const start = LEFT + place * room + room * .1;
      ys.forEach((y, at) => {
        const value = number(row[y]);
        if (!Number.isFinite(value)) return;
        const top = Math.min(up(value), up(0)), height = Math.max(1, Math.abs(up(value) - up(0)));
        const bar = shape("rect", { x: start + at * width, y: top, width, height, class: "s" + at });
        bar.append(shape("title", {}, `${row[x]}: ${row[y]}`));
        svg.append(bar);
      });
      const name = String(row[x] ?? "");
      if (place % every === 0) {
        const label = name.length > 12 ? name.slice(0, 11) + "…" : name;
        svg.append(shape("text", { x: start + room * .4, y: HEIGHT - BOTTOM + 20, "text-anchor": "middle" }, label));
      }
    });
    return true;
  };

  // The drawing of a plan, or null if there is nothing to draw.
  const draw = (columns, rows, of) => {
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img" });
    const names = of.ys.map(y => columns[y].name);
    svg.setAttribute("aria-label", `${names.join(", ")} by ${columns[of.x].name}`);
    const drawn = of.kind === "bar" ? bars(svg, columns, rows, of) : lines(svg, columns, rows, of);
    if (!drawn) return null;
    legend(svg, names);
    return svg;
  };

  return { plan, draw, NUMBERS };
})();
