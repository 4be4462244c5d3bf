"""Browsers that show pages with steppers."""

import pytest
from browsers import BROWSERS, Walk, start


@pytest.fixture(scope="session", params=BROWSERS)
def browser(request):
    with start(request.param) as browser:
        yield browser


@pytest.fixture
def shown(browser, tmp_path):
    """A function that opens steppers as one page, and gives their handles."""

    def show(*steppers, change=lambda page: page, address=""):
        path = tmp_path / "page.html"
        steppers[0].save(path)
        page = path.read_text("utf-8")
        more = "\n".join(stepper.html for stepper in steppers[1:])
        path.write_text(change(page.replace("</body>", f"{more}</body>")), "utf-8")
        browser.open(path.as_uri() + address)
        return [Walk(browser, i) for i in range(len(steppers))]

    return show
