// What is around the picture: buttons, the slider, and the panel with its tools.
const ICONS = {
  first: "M2 2h2.5v12H2zM14 2v12L5.5 8z",
  previous: "M12.5 2v12L3.5 8z",
  next: "M3.5 2v12l9-6z",
  last: "M11.5 2H14v12h-2.5zM2 2v12l8.5-6z",
  smaller: "M2 7h12v2H2z",
  larger: "M2 7h5V2h2v5h5v2H9v5H7V9H2z",
  full: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
  hide: "M2 2h12v12H2zM4 4v4h8V4z",
  print: "M4 1h8v4H4zM1 6h14v6h-3v-2H4v2H1zM5 11h6v4H5z",
};
const RUN = 100; // updates of a run
const FRAME = `
  <div class="stepper" role="group" tabindex="0">
    <div class="bar">
      ${button("first", "Home")}${button("previous", "←")}
      <button type="button" class="play" title="play (Space)">play</button>
      ${button("next", "→")}${button("last", "End")}
      <input type="range" class="slider" min="0" value="0" step="1" aria-label="step">
      <select class="pace" aria-label="speed"><option value="2">½×</option>
        <option value="1" selected>1×</option><option value="0.5">2×</option></select>
      <span class="where"></span>
    </div>
    <div class="head">
      <span class="chapters"></span>
      ${button("smaller", "−")}<button type="button" class="fit" title="fit (0)">fit</button>
      ${button("larger", "+")}${button("hide", "H")}${button("print", "P")}${button("full", "F")}
    </div>
    <div class="stage"></div>
    <div class="panel">
      <div class="told">
        <div class="alerts" aria-live="polite"></div>
        <div class="training tools">
          <label>η = <input type="text" class="eta" inputmode="decimal" autocomplete="off"></label>
          <span class="choice signs"><button type="button" value="-1">− descend</button
            ><button type="button" value="1">+ climb</button></span>
          <button type="button" class="again">again</button>
          <button type="button" class="epoch" title="an update for each sample in turn"></button>
          <button type="button" class="run">run ${RUN} times</button>
        </div>
        <div class="note"></div>
        <div class="text" role="status" aria-live="polite" aria-atomic="true"></div>
      </div>
      <div class="boundary" hidden></div>
      <div class="side">
        <div class="curve"></div>
        <div class="samples"><button type="button" class="before" aria-label="sample before">◀</button>
          <span class="sample"></span>
          <button type="button" class="after" aria-label="sample after">▶</button>
          <span class="choice batches"><button type="button" value="">this one</button
            ><button type="button" value="1">mean of all</button></span></div>
        <button type="button" class="reset">reset</button>
      </div>
    </div>
  </div>`;

function button(name, key) {
  const label = { full: "full screen", hide: "hide or show the text", print: "print every step" }[
    name
  ];
  return `<button type="button" class="${name}" title="${name} (${key})" aria-label="${
    label ?? (/er$/.test(name) ? name : `${name} step`)
  }"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg></button>`;
}
