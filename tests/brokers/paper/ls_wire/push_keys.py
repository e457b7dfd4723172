"""The keys of each push body as ls.md §5 lists them; `name1..10` stands for ten."""

import re

_TEXT = """
S3_: chetime sign change drate price opentime open hightime high lowtime low cgubun cvolume volume value mdvolume
  mdchecnt msvolume mschecnt cpower w_avrg offerho bidho status jnilvolume shcode exchname
US3: chetime sign change drate price opentime open hightime high lowtime low cgubun cvolume volume value mdvolume
  mdchecnt msvolume mschecnt cpower w_avrg offerho bidho status jnilvolume shcode exchname ex_shcode
H1_: hotime offerho1..10 bidho1..10 offerrem1..10 bidrem1..10 totofferrem totbidrem donsigubun shcode alloc_gubun
  volume midprice offermidsumrem bidmidsumrem midsumrem midsumremgubun
UH1: hotime offerho1..10 bidho1..10 krx_offerrem1..10 nxt_offerrem1..10 unt_offerrem1..10 krx_bidrem1..10
  nxt_bidrem1..10 unt_bidrem1..10 krx_totofferrem nxt_totofferrem unt_totofferrem krx_totbidrem nxt_totbidrem
  unt_totbidrem krx_donsigubun nxt_donsigubun shcode alloc_gubun volume krx_midprice krx_offermidsumrem
  krx_bidmidsumrem nxt_midprice nxt_offermidsumrem nxt_bidmidsumrem krx_midsumrem krx_midsumremgubun nxt_midsumrem
  nxt_midsumremgubun ex_shcode
NH1: hotime offerho1..10 bidho1..10 offerrem1..10 bidrem1..10 totofferrem totbidrem donsigubun shcode alloc_gubun
  volume midprice offermidsumrem bidmidsumrem midsumrem midsumremgubun ex_shcode
YS3: hotime yeprice yevolume jnilysign jnilchange jnilydrate yofferho0 ybidho0 yofferrem0 ybidrem0 shcode exchname
UYS: hotime yeprice yevolume jnilysign jnilchange jnilydrate yofferho0 ybidho0 yofferrem0 ybidrem0 shcode exchname
  ex_shcode
VI_: vi_gubun svi_recprice dvi_recprice vi_trgprice shcode ref_shcode time exchname
SC0: lineseq accno user len gubun compress encrypt offset trcode comid userid media ifid seq trid pubip prvip pcbpno
  bpno termno lang proctm msgcode outgu compreq funckey reqcnt filler cont contkey varlen varhdlen varmsglen trsrc
  eventid ifinfo filler1 ordchegb marketgb ordgb orgordno accno1 accno2 passwd expcode shtcode hname ordqty ordprice
  hogagb etfhogagb pgmtype gmhogagb gmhogayn singb loandt cvrgordtp strtgcode groupid ordseqno prtno basketno trchno
  itemno brwmgmyn mbrno procgb admbrchno futaccno futmarketgb tongsingb lpgb dummy ordno ordtm prntordno mgempno
  orgordundrqty orgordmdfyqty ordordcancelqty nmcpysndno ordamt bnstp spareordno cvrgseqno rsvordno mtordseqno
  spareordqty orduserid spotordqty ordruseqty mnyordamt ordsubstamt ruseordamt ordcmsnamt crdtuseamt secbalqty
  spotordableqty ordableruseqty flctqty secbalqtyd2 sellableqty unercsellordqty avrpchsprc pchsamt deposit substamt
  csgnmnymgn csgnsubstmgn crdtpldgruseamt ordablemny ordablesubstamt ruseableamt
SC1: grpId trchno trtzxLevytp ordtrxptncode acntnm trcode userid agrgbrnno regmktcode len opdrtnno orgordmdfyqty
  avrpchsprc exectime cont mnymgnrat mdfycnfqty orgordcancqty compress execprc mdfycnfprc unercsellordqty
  cmsnamtexecamt ruseableamt gubun trid flctqty execno lptp varmsglen ordno futsmkttp crdtexecamt deposit frgrunqno
  crdayruseexecval trsrc ordacntno reqcnt shtnIsuno accno1 strtgcode ordseqno Isunm ordablesubstamt encrypt Isuno
  accno2 contkey Loandt seq lineseq varlen orduserId mgmtbrnno rjtqty ordprcptncode stdIsuno pchsant filler
  secbalqty ordxctptncode canccnfqty ordablemny pubip prvip funckey accno compreq crdtpldgruseamt ordamt termno
  crdtpldgexecamt ordcndi rmndLoanamt bpno substamt mgempno csgnsubstmgn offset rcptexectime sellableqty spotexecqty
  varhdlen substmgnrat ordavrexecprc itemno mgntrncode nsavtrdqty ifinfo ordableruseqty ptflno secbalqtyd2 brwmgmtYn
  eventid csgnmnymgn pcbpno orgordno ifid media mtiordseqno filler1 orgordunercqty mbrnmbrno futsLnkbrnno commdacode
  stslexecqty proctm bfstdIsuno futsLnkacntno lang unercqty execqty adduptp bskno spotordableqty ubstexecamt
  cvrgordtp ordqty mnyexecamt outgu msgcode ordtrdptncode ordmktcode ordptncode prdayruseexecval comid bnstp user
  ordprc
GSC: symbol ovsdate kordate trdtm kortm sign price diff rate open high low trdq totq cgubun lSeq amount high52p
  low52p
GSH: symbol loctime kortime offerho1..10 bidho1..10 offerrem1..10 bidrem1..10 offerno1..10 bidno1..10 totoffercnt
  totbidcnt totofferrem totbidrem
AS0: lineseq accno user len gubun compress encrypt offset trcode comid userid media ifid seq trid pubip prvip pcbpno
  bpno termno lang proctm msgcode outgu compreq funckey reqcnt filler cont contkey varlen varhdlen varmsglen trsrc
  eventid ifinfo filler1 sOrdxctPtnCode sOrdMktCode sOrdPtnCode sOrgOrdNo sAcntNo sPwd sIsuNo sShtnIsuNo sIsuNm
  sOrdQty sOrdPrc sOrdCndi sOrdprcPtnCode sStrtgCode sGrpId sOrdSeqno sCommdaCode sOrdNo sOrdTime sPrntOrdNo
  sOrgOrdUnercQty sOrgOrdMdfyQty sOrgOrdCancQty sNmcpySndNo sOrdAmt sBnsTp sMtiordSeqno sOrdUserId sSpotOrdQty
  sRuseOrdQty sOrdMny sOrdSubstAmt sOrdRuseAmt sUseCmsnAmt sSecBalQty sSpotOrdAbleQty sOrdAbleRuseQty sFlctQty
  sSecBalQtyD2 sSellAbleQty sUnercSellOrdQty sAvrPchsPrc sPchsAmt sDeposit sSubstAmt sCsgnMnyMgn sCsgnSubstMgn
  sOrdAbleMny sOrdAbleSubstAmt sRuseAbleAmt sMgntrnCode
AS1: lineseq accno user len gubun compress encrypt offset trcode comid userid media ifid seq trid pubip prvip pcbpno
  bpno termno lang proctm msgcode outgu compreq funckey reqcnt filler cont contkey varlen varhdlen varmsglen trsrc
  eventid ifinfo filler1 sOrdxctPtnCode sOrdMktCode sOrdPtnCode sMgmtBrnNo sAcntNo sAcntNm sIsuNo sIsuNm sOrdNo
  sOrgOrdNo sExecNO sAbrdExecId sOrdQty sOrdPrc sExecQty sExecPrc sMdfyCnfQty sMdfyCnfPrc sCancCnfQty sRjtQty
  sOrdTrxPtnCode sMtiordSeqno sOrdCndi sOrdprcPtnCode sShtnIsuNo sOpDrtnNo sUnercQty sOrgOrdUnercQty sOrgOrdMdfyQty
  sOrgOrdCancQty sOrdAvrExecPrc sOrdAmt sStdIsuNo sBnsTp sCommdaCode sOrdAcntNo sAgrgtBrnNo sRegMktCode sMnyMgnRat
  sSubstMgnRat sMnyExecAmt sSubstExecAmt sCmsnAmtExecAmt sPrdayRuseExecVal sCrdayRuseExecVal sSpotExecQty
  sStslExecQty sStrtgCode sGrpId sOrdSeqno sOrdUserId sExecTime sRcptExecTime sRjtRsn sSecBalQty sSpotOrdAbleQty
  sOrdAbleRuseQty sFlctQty sSecBalQtyD2 sSellAbleQty sUnercSellOrdQty sAvrPchsPrc sPchsAmt sDeposit sSubstAmt
  sCsgnMnyMgn sCsgnSubstMgn sOrdAbleMny sOrdAbleSubstAmt sRuseAbleAmt sMgntrnCode
"""


def _names(item: str) -> list[str]:
    match = re.fullmatch(r"(\w+?)(\d+)\.\.(\d+)", item)
    if match is None:
        return [item]
    return [f"{match.group(1)}{i}" for i in range(int(match.group(2)), int(match.group(3)) + 1)]


KEYS = {
    entry.partition(": ")[0]: [name for item in entry.partition(": ")[2].split() for name in _names(item)]
    for entry in re.split(r"\n(?! )", _TEXT.strip())
}
