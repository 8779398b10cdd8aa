  // Enlarges a row's images to the size of the window, all networks at the same position and zoom; arrow keys select the next row.
  {
    const dialog = $("#enlarged");
    const stage = $(".stage", dialog);
    const PLACES = ".row, figure.chart-figure, .norms, figure.truth, #codes figure.cell, .unit-card";
    const groups = () => $$(PLACES).filter((row) => $("svg.pic, svg.chart, .codes", row) && row.offsetParent);
    let row = null;
    let kind = 0;
    let zoom = { x: 0, y: 0, size: 100 };
    const zoomable = () => $$("svg.pic", stage).filter((image) => image.getAttribute("viewBox") === image.dataset.box || image.dataset.box);
    const apply = () => {
      zoom.size = Math.min(100, Math.max(4, zoom.size));
      zoom.x = Math.min(100 - zoom.size, Math.max(0, zoom.x));
      zoom.y = Math.min(100 - zoom.size, Math.max(0, zoom.y));
      for (const image of zoomable()) {
        // Where networks see different parts of a photo, each image is moved so that all show the same place of it.
        const [left, top, width, height, ratio] = (image.dataset.frame ?? "0 0 100 100").split(" ").map(Number);
        const part = [left + (zoom.x / 100) * width, top + (zoom.y / 100) * height, (zoom.size / 100) * width, (zoom.size / 100) * height];
        image.setAttribute("viewBox", part.join(" "));
        if (ratio) image.style.aspectRatio = ratio;
      }
      $("#enlarged-zoom").textContent = `${Math.round(10000 / zoom.size)} %`;
    };
    const zoomBy = (factor, at = [0.5, 0.5]) => {
      const size = Math.min(100, Math.max(4, zoom.size / factor));
      zoom.x += at[0] * (zoom.size - size);
      zoom.y += at[1] * (zoom.size - size);
      zoom.size = size;
      apply();
    };
    const heading = (of) => {
      const section = of.closest("section");
      const parts = [section && $("h2", section), of.closest(".method") && $("h3", of.closest(".method")), $("h3, h4", of)];
      return parts.filter(Boolean).map((part) => part.textContent.trim()).join(" · ");
    };
    const draw = () => {
      stage.replaceChildren();
      $("#enlarged-title").textContent = heading(row);
      const cells = $$(".cell", row).filter((cell) => !cell.hidden);
      stage.style.setProperty("--columns", Math.max(1, cells.length));
      if (cells.length === 0) stage.append(row.cloneNode(true));
      for (const cell of cells) {
        const clone = cell.cloneNode(true);
        const images = $$(".trio > svg", clone);
        // One of the three at full width; the others can be chosen.
        images.forEach((image, at) => { if (at !== Math.min(kind, images.length - 1)) image.remove(); });
        stage.append(clone);
      }
      $$(".tool, .tools", stage).forEach((part) => part.remove());
      for (const image of $$("svg.pic", stage)) {
        if (image.getAttribute("viewBox") === "0 0 100 100") image.dataset.box = "0 0 100 100";
      }
      const most = Math.max(0, ...cells.map((cell) => $$(".trio > svg", cell).length));
      const others = $("#enlarged-kind");
      others.hidden = most < 2;
      const rows = groups();
      const at = rows.indexOf(row);
      $("#enlarged-back").disabled = at <= 0;
      $("#enlarged-next").disabled = at < 0 || at + 1 >= rows.length;
      apply();
    };
    // Its number among all rows, shown or not, so that a link leads to the same one.
    const all = $$(PLACES);
    const remember = () => address.set("row", dialog.open ? `${all.indexOf(row)}.${kind}` : "");
    const open = (of, at) => {
      row = of;
      kind = at;
      zoom = { x: 0, y: 0, size: 100 };
      if (!dialog.open) dialog.showModal();
      draw();
      remember();
    };
    const step = (by) => {
      const rows = groups();
      const next = rows[rows.indexOf(row) + by];
      if (!next) return;
      row = next;
      draw();
      remember();
    };
    dialog.addEventListener("close", remember);
    listeners.push(() => {
      const [at, of] = (state.get("row") ?? "").split(".").map(Number);
      if (!dialog.open && state.get("row") && all[at]) open(all[at], of || 0);
    });
    for (const figure of groups()) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "tool enlarge", textContent: "⤢" });
      button.setAttribute("aria-label", `${words.enlarge}: ${heading(figure)}`);
      button.addEventListener("click", () => open(figure, Number(button.dataset.kind ?? 2)));
      figure.prepend(button);
    }
    main.addEventListener("click", (event) => {
      const image = event.target.closest("svg.pic");
      const of = image?.closest(".row, figure.chart-figure, figure.truth");
      if (!of || image.closest("a")) return;
      open(of, Math.max(0, $$(":scope > svg", image.parentElement).indexOf(image)));
    });
    $("#enlarged-back").addEventListener("click", () => step(-1));
    $("#enlarged-next").addEventListener("click", () => step(1));
    $("#enlarged-in").addEventListener("click", () => zoomBy(1.5));
    $("#enlarged-out").addEventListener("click", () => zoomBy(1 / 1.5));
    $("#enlarged-kind").addEventListener("click", () => {
      const most = Math.max(1, ...$$(".cell", row).map((cell) => $$(".trio > svg", cell).length));
      kind = (Math.min(kind, most - 1) + 1) % most;
      draw();
      remember();
    });
    $("#enlarged-over").addEventListener("input", (event) => dialog.style.setProperty("--over", event.target.value / 100));
    $("#enlarged-save").addEventListener("click", async () => {
      const heading = $("#enlarged-title").textContent;
      const name = `${title}-${heading}`.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 100);
      save(await toPng(stage, heading), `${name}.png`);
    });
    $("#enlarged-close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.target.matches("input")) return;
      const keys = {
        ArrowLeft: () => step(-1), ArrowRight: () => step(1), "+": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: () => zoomBy(1e-3),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    stage.addEventListener("wheel", (event) => {
      const image = event.target.closest("svg.pic[data-box]");
      if (!image) return;
      event.preventDefault();
      const box = image.getBoundingClientRect();
      zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2, [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    }, { passive: false });
    let drag = null;
    stage.addEventListener("pointerdown", (event) => {
      const image = event.target.closest("svg.pic[data-box]");
      if (image && zoom.size < 100) drag = { x: event.clientX, y: event.clientY, box: image.getBoundingClientRect() };
    });
    stage.addEventListener("pointermove", (event) => {
      if (!drag) return;
      zoom.x -= ((event.clientX - drag.x) / drag.box.width) * zoom.size;
      zoom.y -= ((event.clientY - drag.y) / drag.box.height) * zoom.size;
      [drag.x, drag.y] = [event.clientX, event.clientY];
      apply();
    });
    addEventListener("pointerup", () => { drag = null; });
  }
